#!/bin/sh
# Writes what fuzzing begins with: an input or more for each target, from the contract's examples and the catalogue, and a
# dictionary of the words that they are made of. What is there already stays, so that a corpus can grow over many runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
corpus=$here/corpus
words=$here/dictionaries
mkdir -p "$words"
for target in commands cloud_events sealed_values catalogue import events attachments places; do
    mkdir -p "$corpus/$target"
done

# One byte, by its number.
byte() {
    printf "\\$(printf %03o "$1")"
}

# A dictionary of the words on standard input, one a line.
dictionary() {
    sort -u | grep -v '[\"]' | sed -n 's/^.\{2,60\}$/"&"/p' >"$words/$1.dict"
}

quoted() {
    grep -oh '"[^"]*"' "$@" | tr -d '"'
}

# Commands: the number of the name in `CommandBody::NAMES`, then the data.
number=0
for name in $(sed -n '/^commands! {/,/^}/s/^ *\([A-Za-z]*\): .*/\1/p' "$root/schemas/src/command/mod.rs"); do
    for example in "$root/schemas/examples/commands/$name".*json; do
        [ -e "$example" ] || continue
        { byte $number; cat "$example"; } >"$corpus/commands/$(basename "$example" .json)"
        # Its personal words stand for what no refusal may quote.
        { byte $number; sed 's/: "[^"]*[A-Z ][^"]*"/: "Zq7Zq"/' "$example"; } >"$corpus/commands/$(basename "$example" .json).quoted"
    done
    number=$((number + 1))
done
{ quoted "$root"/schemas/examples/commands/*.json "$root"/schemas/commands/*.json; echo Zq7Zq; } | dictionary commands

# CloudEvents: headers, an empty line, the body.
id=6f7d3a52-8c1e-4b0a-9d53-2f0c8e6b1a47
attributes="\"specversion\":\"1.0\",\"id\":\"$id\",\"type\":\"caseledger.CancelRequest.v1\",\"source\":\"/clients/website\""
more="\"subject\":\"$id\",\"time\":\"2026-11-24T10:00:00.5Z\",\"datacontenttype\":\"application/json\",\"correlationid\":\"c-1\""
trace='"causationid":"d","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"'
printf '\n\n{%s,"data":{"a": 1}}' "$attributes" >"$corpus/cloud_events/structured"
printf 'content-type: application/cloudevents+json\n\n{%s,%s,%s,"data":{"a": 1}}' "$attributes" "$more" "$trace" \
    >"$corpus/cloud_events/structured.whole"
printf '\n\n{%s,"data_base64":"e30="}' "$attributes" >"$corpus/cloud_events/structured.base64"
printf 'ce-specversion: 1.0\nce-id: %s\nce-type: caseledger.CancelRequest.v1\nce-source: /clients/website\n\n{"a": 1}' "$id" \
    >"$corpus/cloud_events/binary"
{
    printf 'ce-specversion: 1.0\nce-id: %s\nce-type: caseledger.CancelRequest.v1\nce-source: s\nce-subject: %s\n' "$id" "$id"
    printf 'ce-time: 2026-11-24T10:00:00+01:00\nce-correlationid: c\nce-causationid: d\ntraceparent: 00-'
    printf '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\ncontent-type: application/json; charset=utf-8\n\n[]'
} >"$corpus/cloud_events/binary.whole"
for example in "$root"/schemas/examples/events/R*.json; do
    { printf '\n\n'; cat "$example"; } >"$corpus/cloud_events/$(basename "$example" .json)"
done
{
    cat "$corpus"/cloud_events/structured* "$root"/schemas/examples/events/RequestSubmitted*.json | grep -oh '"[^"]*"' | tr -d '"'
    sed -n 's/^\(ce-[a-z]*\|content-type\|traceparent\): .*/\1/p' "$corpus"/cloud_events/binary*
} | dictionary cloud_events

# Events: minutes, type and payload, a line each. One by one, all of a kind in a row, and a case as it goes.
line() {
    printf '%s %s %s\n' "$1" "$(basename "$2" | sed 's/\..*//')" "$(tr -d '\n' <"$2")"
}
for golden in "$root"/schemas/golden/*.json; do
    line 1 "$golden" >"$corpus/events/$(basename "$golden" .json)"
done
for golden in "$root"/schemas/golden/*.json; do
    { line 0 "$root/schemas/golden/RequestSubmitted.v1.json"; line 600 "$golden"; } \
        >"$corpus/events/then.$(basename "$golden" .json)"
done
for kind in Request Job Payment Clock Appointment; do
    { line 0 "$root/schemas/golden/RequestSubmitted.v1.json"
      for golden in "$root"/schemas/golden/$kind*.json; do line 60 "$golden"; done
    } >"$corpus/events/row.$kind"
done
{ quoted "$root"/schemas/golden/*.json | grep -v '.\{41\}'; ls "$root/schemas/golden" | sed 's/\..*//'; } | dictionary events

# Catalogue: the number of a file in `BUILT_IN`, 0 for changes or 1 for a whole text, and that. Some files are long; changes do for
# those. After them come the bank holidays and the clocks, and from 128 on the small catalogue.
number=0
for file in $(sed -n '/^const BUILT_IN/,/^);/s/^ *"\(.*\)",$/\1/p' "$root/catalogue/src/files.rs") calendar/bank-holidays.json calendar/clocks.toml; do
    name=$(echo "$file" | tr / .)
    { byte $number; byte 0; } >"$corpus/catalogue/$name.unchanged"
    { byte $number; byte 0; printf '\001\000\010\000'; } >"$corpus/catalogue/$name.changed"
    if [ "$(wc -c <"$root/catalogue/$file")" -lt 6000 ]; then
        { byte $number; byte 1; cat "$root/catalogue/$file"; } >"$corpus/catalogue/$name.whole"
    fi
    number=$((number + 1))
done
number=128
for file in service contractor; do
    { byte $number; byte 0; printf '\001\000\010\000'; } >"$corpus/catalogue/small.$file.changed"
    { byte $number; byte 1; cat "$here/small/$file.toml"; } >"$corpus/catalogue/small.$file"
    number=$((number + 1))
done
for part in '' html subject.txt txt; do
    # The council and the parts of the notice, as they are.
    { byte $number; byte 0; } >"$corpus/catalogue/small.other$part"
    number=$((number + 1))
done
{
    grep -oh '^[a-z_]* = [^"]*$' "$root"/catalogue/services/*.toml "$root"/catalogue/contractors/*.toml "$root"/catalogue/calendar/*.toml | grep -v '.\{41\}'
    grep -oh '^[a-z_]* = \|\[\[[a-z_.]*\]\]\|\[[a-z_.]*\]\|{ [a-z_]* = ' "$root"/catalogue/services/*.toml "$root"/catalogue/contractors/*.toml
    sed 's/["\]//g' "$root"/catalogue/notices/* | grep -oh '{[{%][^}]*[%}]}'
    quoted "$root"/catalogue/services/*.toml | grep '^[a-z_-]*$'
} | dictionary catalogue

# Sealed values: what the rest is, and that.
golden() {
    sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$root/vault/golden/sealed.v1.json"
}
sealed=$corpus/sealed_values
{ byte 0; printf %s "$(golden token)"; } >"$sealed/token"
for event in "$root"/schemas/golden/[CR]*.json; do
    token=$(grep -o '"sealed":"[^"]*"' "$event" | head -n 1 | cut -d '"' -f 4)
    [ -z "$token" ] || { byte 0; printf %s "$token"; } >"$sealed/token.$(basename "$event" .json)"
done
ids=$(printf '%064d' 7)
{ byte 1; printf '%s%s' "12345678901234567890123456789012" "123456789012345678901234"; printf '\001\001%s\005/name\000\020\001' "$ids"
  printf '"Ada"'; } >"$sealed/by-the-documents"
{ byte 1; printf '%s%s' "12345678901234567890123456789012" "123456789012345678901234"; printf '\001\002%s\000\000\000\000' "$ids"
  printf '{"lines":["1 High St"]}'; } >"$sealed/by-the-documents.special"
{ byte 2; printf %s "$(golden field_key)"; } >"$sealed/key"
{ byte 3; printf '{"description":"Behind the blue door","answers":{"colour":"blue","number":7,"lit":true},"contact":{"name":"Ada"}}'; } \
    >"$sealed/for-a-contractor"
{ byte 3; printf '{"place":{"postcode":"SW1A 1AA","latitude":51.5,"longitude":-0.12},"erased":true}'; } >"$sealed/for-a-contractor.place"
{ byte 4; printf 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n%s' "$(printf '%0120d' 0)"; } >"$sealed/from-a-stranger"
{ byte 5; printf '{"sealed":"%s"}' "$(golden token)"; } >"$sealed/in-json"
{ byte 5; printf '"Ada"'; } >"$sealed/in-json.open"
printf '%s\n' place description contact answers precautions reason erased name phone postcode latitude longitude sealed /name AQ |
    dictionary sealed_values

# Imports: a mapping, dashes, rows.
example=$(sed '/^#/d' "$root/docs/import/myla311.toml")
{ printf '%s\n----\n' "$example"; head -n 4 "$root/tests/fixtures/myla311-excerpt.csv"; } >"$corpus/import/myla311"
cat >"$corpus/import/small" <<'END'
[source]
system = "s"
id = "I"
time_zone = "Europe/London"
time_formats = ["%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d"]
[submission]
created = "C"
description = "D"
request_type = { column = "T", values = { "b" = "bulky-item" } }
channel = { column = "S", values = { "c" = "phone", "d" = "crew", "o" = "officer_found" } }
place = { description = "A", postcode = "P", latitude = "Y", longitude = "X" }
[ending]
at = "E"
status = { column = "Z", values = { "o" = "open", "x" = "cancelled", "c" = { closed = "collected" } } }
----
I,C,D,T,S,A,P,Y,X,E,Z
1,2018-01-02,w,b,c,a,AB1 2CD,51.5,-0.1,2018-01-03,c
2,01/02/2018 12:05:43 AM,,b,d,,,,,,o
3,2018-01-02,,b,o,,,x,,2018-01-01,x
END
sed 's/Europe.London/America\/Los_Angeles/; s/^.*%Y-%m-%d.*$/time_formats = ["%Y-%m-%dT%H:%M:%S%z", "%s", "%c", "%Y-%m-%d %H:%M"]/; s/2018-01-02,/2018-03-25 01:30,/' \
    "$corpus/import/small" >"$corpus/import/small.formats"
{
    quoted "$root/docs/import/myla311.toml" | head -n 120
    printf '%s\n' %Y %m %d %H %M %S %p %I %y %j %G %V %s %f %z %Z %Q %c %x %D %F %T %b %B %a %A %e %k %l %u %w %U %W %n %t %C %h %% %.f %3f %:z
    grep -o '^[a-z_]* = \|\[[a-z_.]*\]\|{ [a-z_]* = ' "$corpus/import/small" "$root/docs/import/myla311.toml" -h
    printf '%s\n' nan inf 1e400 -0 9999-12-31 -9999-01-01 0000-01-01 UTC Asia/Kathmandu
} | dictionary import

# Attachments: the media type that is said, and a file of that kind. From 6 on a PNG's checksums are set right.
number=0
for ending in jpg png webp pdf txt csv; do
    for fixture in "$root"/attachments/tests/fixtures/*.$ending; do
        [ -e "$fixture" ] || continue
        { byte $number; cat "$fixture"; } >"$corpus/attachments/$(basename "$fixture")"
        { byte $((number + 6)); cat "$fixture"; } >"$corpus/attachments/$(basename "$fixture").other"
    done
    number=$((number + 1))
done
{ byte 3; printf '%%PDF-1.7\n%%%%EOF\n'; } >"$corpus/attachments/document"
{ byte 4; printf 'A hole,\r\nten inches deep'; } >"$corpus/attachments/text"
{ byte 5; printf 'a,b\n1,2\n'; } >"$corpus/attachments/table"
printf '%s\n' IHDR PLTE IDAT IEND eXIf tEXt iTXt zTXt tIME iCCP sRGB pHYs acTL fcTL fdAT RIFF WEBP VP8X ANIM ANMF ALPH EXIF ICCP JFIF Exif Adobe \
    ICC_PROFILE MPF 8BIM | dictionary attachments
cat >>"$words/attachments.dict" <<'END'
"VP8 "
"VP8L"
"XMP "
"\xff\xd8"
"\xff\xd9"
"\xff\xda"
"\xff\xdb"
"\xff\xc0"
"\xff\xc2"
"\xff\xc4"
"\xff\xdd"
"\xff\xd0"
"\xff\xe0"
"\xff\xe1"
"\xff\xe2"
"\xff\xee"
"\xff\xfe"
"Exif\x00\x00"
"MM\x00*\x00\x00\x00\x08"
"II*\x00\x08\x00\x00\x00"
"\x01\x12\x00\x03\x00\x00\x00\x01"
END

# Places: boundaries, grid references, two numbers, and several.
{ byte 0; cat "$root/places/sample/wards.geojson"; } >"$corpus/places/wards"
{ byte 0; printf '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"WD25CD":"E05999001","WD25NM":"A"},'
  printf '"geometry":{"type":"Polygon","coordinates":[[[-1.02,52.6],[-1,52.6],[-1,52.7],[-1.02,52.6]]]}}]}'; } >"$corpus/places/triangle"
{ byte 0; printf '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"WD25CD":"E05999001","WD25NM":"A"},'
  printf '"geometry":{"type":"MultiPolygon","coordinates":[[[[-1,52],[1,52,7],[1,54],[-1,54],[-1,52]],[[0,53],[0.5,53],[0.5,53.5],[0,53]]]]}}]}'
} >"$corpus/places/hole"
for reference in 'TQ 30098 80123' TQ3009880123 'tq 300 801' SV00 'JM 9 9' 'HP 66666 18888'; do
    { byte 1; printf %s "$reference"; } >"$corpus/places/$(echo "$reference" | tr -d ' ')"
done
# 530098.0 180123.0, then 51.5 -0.12, as doubles with the lowest byte first.
{ byte 2; printf '\000\000\000\000\144\055\040\101\000\000\000\000\330\374\005\101'; } >"$corpus/places/metres"
{ byte 2; printf '\000\000\000\000\000\300\111\100\270\036\205\353\121\270\276\277'; } >"$corpus/places/degrees"
{ byte 3; printf '\000\000\000\000\000\000\111\100'
  for last in 0 1 4 8; do printf '\000\000\000\000\00%s\300\111\100\270\036\205\353\121\270\276\277' $last 2>/dev/null; done
} >"$corpus/places/near"
{
    printf '%s\n' FeatureCollection Feature Polygon MultiPolygon coordinates features geometry properties type crs WD25CD WD25NM E05999001 1e999 -0 null
    printf '%s\n' SV NA HP TQ SU JM urn:ogc:def:crs:OGC:1.3:CRS84
} | dictionary places
