# Runs one server and ends it when the process that started it is gone.
#
# Standard input is a pipe from that process. A line on it is `stop`, or the name of a signal for the server. The end
# of the pipe, however it came about, means: stop the server, nobody will need it again. This shell is the server's
# parent, so the process id that it signals cannot have gone to somebody else.
#
# $1  the signal that stops the server in good order
# $2  seconds until it is killed
# $3  a directory to delete when nobody will need the server again, or nothing
# $4… the server's command line

stop_signal=$1 patience=$2 directory=$3
shift 3
exec 3<&0 </dev/null

abandoned=
trap 'abandoned=yes' USR1

"$@" 3<&- &
server=$!

(
    trap - USR1
    stopping=
    while [ -z "$stopping" ] && read -r line <&3; do
        case $line in
        stop) stopping=yes ;;
        *) kill -s "$line" "$server" ;;
        esac
    done
    [ -n "$stopping" ] || kill -s USR1 $$
    kill -s "$stop_signal" "$server"
    while [ "$patience" -gt 0 ] && kill -0 "$server"; do
        sleep 1
        patience=$((patience - 1))
    done
    kill -s KILL "$server"
) 2>/dev/null &
listener=$!
exec 3<&-

wait "$server"
status=$?
# A signal to this shell ends a wait early.
while kill -0 "$server" 2>/dev/null; do
    wait "$server"
    status=$?
done
kill "$listener" 2>/dev/null
[ -z "$abandoned" ] || [ -z "$directory" ] || rm -rf -- "$directory"
exit "$status"
