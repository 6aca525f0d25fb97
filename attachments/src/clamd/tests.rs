use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;

use super::*;
use crate::scan::Verdict;

fn eicar() -> Vec<u8> {
    [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat()
    .into_bytes()
}

/// Speaks `INSTREAM` as clamd(8) tells it, and takes `limit` bytes.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, limit: usize) -> io::Result<Vec<u8>> {
    let mut command = [0; 10];
    stream.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut file = Vec::new();
    loop {
        let length = usize::try_from(stream.read_u32().await?).unwrap();
        if length == 0 {
            break;
        }
        if file.len() + length > limit {
            stream.write_all(b"INSTREAM size limit exceeded. ERROR\0").await?;
            return Ok(file);
        }
        let before = file.len();
        file.resize(before + length, 0);
        stream.read_exact(&mut file[before..]).await?;
    }
    let infected = file.windows(6).any(|part| part == b"EICAR-");
    let answer: &[u8] = if infected {
        b"stream: Eicar-Test-Signature FOUND\0"
    } else {
        b"stream: OK\0"
    };
    stream.write_all(answer).await?;
    Ok(file)
}

/// A daemon for one scan; it gives what it was sent.
async fn daemon(limit: usize) -> (Clamd, JoinHandle<io::Result<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move { serve(listener.accept().await?.0, limit).await });
    (address.parse().unwrap(), served)
}

#[tokio::test]
async fn given_a_clean_file_when_it_is_scanned_then_every_byte_was_sent_and_it_is_clean() {
    for length in [0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 7] {
        let bytes: Vec<u8> = (0..length).map(|place| u8::try_from(place % 251).unwrap()).collect();
        let (clamd, served) = daemon(usize::MAX).await;
        assert_eq!(clamd.scan(&bytes).await.unwrap(), Verdict::Clean);
        assert_eq!(served.await.unwrap().unwrap(), bytes);
    }
}

#[tokio::test]
async fn given_the_test_virus_when_it_is_scanned_then_its_name_is_told() {
    let (clamd, _served) = daemon(usize::MAX).await;
    let name = "Eicar-Test-Signature".to_owned();
    assert_eq!(clamd.scan(&eicar()).await.unwrap(), Verdict::Infected { name });
}

#[tokio::test]
async fn given_a_unix_socket_when_a_file_is_scanned_then_the_verdict_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamd.ctl");
    let listener = UnixListener::bind(&path).unwrap();
    let served = tokio::spawn(async move { serve(listener.accept().await?.0, usize::MAX).await });
    let clamd: Clamd = format!("unix://{}", path.display()).parse().unwrap();
    assert!(matches!(clamd.scan(&eicar()).await, Ok(Verdict::Infected { .. })));
    assert_eq!(served.await.unwrap().unwrap(), eicar());
}

#[tokio::test]
async fn given_a_file_beyond_the_daemons_limit_when_it_is_scanned_then_there_is_no_verdict() {
    let (clamd, _served) = daemon(10).await;
    let error = clamd.scan(&[1; 11]).await.unwrap_err();
    // Whether the answer or the broken connection is seen first is up to the system; neither is a verdict.
    assert!(
        matches!(error, ScanError::NoVerdict { .. } | ScanError::Unreachable(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn given_nobody_who_listens_when_a_file_is_scanned_then_the_scanner_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clamd: Clamd = format!("tcp://{address}").parse().unwrap();
    assert!(matches!(clamd.scan(b"words").await, Err(ScanError::Unreachable(_))));
}

#[tokio::test]
async fn given_a_daemon_that_hangs_up_without_a_word_when_a_file_is_scanned_then_there_is_no_verdict() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clamd: Clamd = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { drop(listener.accept().await) });
    let error = clamd.scan(b"words").await.unwrap_err();
    assert!(
        matches!(error, ScanError::NoVerdict { .. } | ScanError::Unreachable(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn given_a_daemon_that_says_nothing_when_the_time_is_over_then_the_scan_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clamd: Clamd = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
    let held = Arc::new(Mutex::new(None));
    let holder = Arc::clone(&held);
    tokio::spawn(async move { *holder.lock().unwrap() = listener.accept().await.ok() });
    let hasty = clamd.reply_within(Duration::from_millis(50));
    assert!(matches!(hasty.scan(b"words").await, Err(ScanError::TooSlow)));
}

#[test]
fn only_the_two_verdicts_are_verdicts() {
    assert_eq!(verdict(b"stream: OK\0").unwrap(), Verdict::Clean);
    assert_eq!(verdict(b"stream: OK").unwrap(), Verdict::Clean);
    let name = "Eicar-Test-Signature".to_owned();
    assert_eq!(
        verdict(b"stream: Eicar-Test-Signature FOUND\0").unwrap(),
        Verdict::Infected { name }
    );
    for answer in [
        b"".as_slice(),
        b"OK",
        b"stream: OKAY",
        b"HTTP/1.1 200 OK",
        b"stream: OK\0stream: Eicar FOUND",
        b"INSTREAM size limit exceeded. ERROR\0",
    ] {
        assert!(
            matches!(verdict(answer), Err(ScanError::NoVerdict { .. })),
            "{}",
            answer.escape_ascii()
        );
    }
}

#[test]
fn an_address_is_a_host_with_its_port_or_a_path() {
    let tcp: Clamd = "tcp://scanner.internal:3310".parse().unwrap();
    assert_eq!(tcp.address, Address::Tcp("scanner.internal:3310".to_owned()));
    let unix: Clamd = "unix:///run/clamav/clamd.ctl".parse().unwrap();
    assert_eq!(unix.address, Address::Unix("/run/clamav/clamd.ctl".into()));
    for wrong in [
        "",
        "localhost:3310",
        "tcp://localhost",
        "tcp://:3310",
        "tcp://localhost:none",
        "unix://run",
    ] {
        assert_eq!(wrong.parse::<Clamd>(), Err(ClamdAddressError), "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_answer_is_passed_on_raw(answer: Vec<u8>) {
        for answer in [answer.clone(), [b"stream: ", answer.as_slice(), b" FOUND"].concat()] {
            let shown = match verdict(&answer) {
                Ok(Verdict::Infected { name }) => name,
                Err(ScanError::NoVerdict { answer }) => answer,
                _ => String::new(),
            };
            prop_assert!(shown.len() <= SHOWN_MAX_CHARS && shown.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
