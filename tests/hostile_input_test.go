package tests

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/daemon"
)

const (
	missingAction = "Missing action in request"
	denied        = "Permission denied"
	lineTooLong   = "Failed to parse message: line too long"
	tooManyLines  = "Too many lines in message or allocation failure"
)

// malformed are packets that are no action, or none that can be run, and the message of
// their error for a stranger and for who is logged in.
var malformed = []struct{ text, stranger, intruder string }{
	{"no colon\r\n\r\n", missingAction, missingAction},
	{":\r\n\r\n", missingAction, missingAction},
	{": Ping\r\n\r\n", missingAction, missingAction},
	{"Action\r\n\r\n", missingAction, missingAction},
	{"Action:\r\n\r\n", missingAction, missingAction},
	{"Action: \x00Ping\r\n\r\n", missingAction, missingAction},
	{"ActionID: 1\r\n\r\n", missingAction, missingAction},
	{"\x01\x02: x\r\n\r\n", missingAction, missingAction},
	{"\xc3\x28\xfe\r\n\r\n", missingAction, missingAction},
	{"{\"Action\": \"Ping\"}\r\n\r\n", missingAction, missingAction},
	{"A\r\nc\r\nt\r\nion: Ping\r\n\r\n", missingAction, missingAction},
	{"Response: Success\r\nMessage: Authentication accepted\r\n\r\n", missingAction, missingAction},
	{"Event: Shutdown\r\nPrivilege: system,all\r\n\r\n", missingAction, missingAction},
	{"Action: No Such\r\n\r\n", denied, `Invalid/unknown command: No Such\. .*`},
	{"Action: Ping\r\nX: " + strings.Repeat("y", 1100) + "\r\n\r\n", lineTooLong, lineTooLong},
	{"Action: Ping\r\n" + strings.Repeat("X: y\r\n", 200) + "\r\n", tooManyLines, tooManyLines},
	{"Action: DBPut\r\nFamily: f\r\nKey: k\r\nVal: a\rAction: Command\r\n\r\n", denied, "Failed to parse message: invalid character"},
	{"Action: Challenge\r\n\r\n", "Must specify AuthType", "Must specify AuthType"},
}

// challenge is an action that anybody may run, and what its answer is.
const (
	challenge  = "Action: Challenge\r\nAuthType: MD5\r\nActionID: next\r\n\r\n"
	challenged = `Response: Success\r\nActionID: next\r\nChallenge: \d+\r\n\r\n`
)

// upToChallenge sends what ends with a challenge, and returns all that comes up to its
// answer.
func upToChallenge(t *testing.T, w *wire, text string) string {
	t.Helper()
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	var all strings.Builder
	for {
		packet, err := w.read()
		require.NoError(t, err, "%s", all.String())
		all.WriteString(packet)
		if header(packet, "ActionID") == "next" {
			return all.String()
		}
	}
}

var garbage = []hostility{
	{
		name:    "malformed packets",
		promise: "each is answered with one error, in its turn, and the connection goes on",
		attack: func(t *testing.T, s *siege) {
			w := s.stranger(t)
			refuse := func(text, message string) {
				t.Helper()
				require.Regexp(t, `^Response: Error\r\n(ActionID: 1\r\n)?Message: `+message+`\r\n\r\n`+challenged+`$`, upToChallenge(t, w, text+challenge), "%q", text)
			}
			for _, m := range malformed {
				refuse(m.text, m.stranger)
			}
			require.NoError(t, w.logIn(intruding, "Events: off"))
			patient(t, w)
			for _, m := range malformed {
				refuse(m.text, m.intruder)
			}
			s.good.carryOn(t, 1)
		},
	},
	{
		name:    "oversized packets",
		promise: "a line without end, or lines without end, are one error when the end comes, and take no memory meanwhile",
		config:  daemon.Config{Plain: true},
		attack: func(t *testing.T, s *siege) {
			const size = 64 << 20
			before := s.peak(t)
			pieces := []struct {
				of           []byte
				end, problem string
			}{
				{bytes.Repeat([]byte("A"), 1<<20), "\r\n\r\n", lineTooLong},
				{bytes.Repeat([]byte("Variable: x=y\r\n"), 1<<16), "\r\n", tooManyLines},
			}
			for _, piece := range pieces {
				for _, w := range []*wire{s.stranger(t), s.intruder(t, "Events: off")} {
					for range size / len(piece.of) {
						_, err := w.Write(piece.of)
						require.NoError(t, err)
					}
					require.Regexp(t, `^Response: Error\r\nMessage: `+piece.problem+`\r\n\r\n`+challenged+`$`, upToChallenge(t, w, piece.end+challenge))
				}
			}
			s.good.carryOn(t, 1)
			require.Less(t, s.peak(t)-before, 32<<20, "bytes more, of four times %d", size)
		},
	},
	{
		name:    "binary garbage",
		promise: "who sends it gets errors or is closed, with a login or without; nothing of it runs",
		attack: func(t *testing.T, s *siege) {
			const strangers, intruders = 10, 10
			var group sync.WaitGroup
			answers := make([]bytes.Buffer, strangers+intruders)
			for i := range answers {
				w := s.stranger(t)
				if i < intruders {
					require.NoError(t, w.logIn(intruding, "Events: off"))
					patient(t, w)
				}
				group.Go(func() { _, _ = io.Copy(&answers[i], w.reader) }) // until ampd closes it
				group.Go(func() {
					sendGarbage(w, i)
					_ = w.Conn.(*net.TCPConn).CloseWrite() // it may be closed already
				})
			}
			group.Wait()
			said := 0
			for i := range answers {
				answer := inXML.ReplaceAllStringFunc(answers[i].String(), func(string) string { said++; return "" })
				for packet := range strings.SplitAfterSeq(answer, "\r\n\r\n") {
					if strings.HasSuffix(packet, "\r\n\r\n") {
						require.True(t, strings.HasPrefix(packet, "Response: Error\r\n"), "%q", packet)
						said++
					}
				}
			}
			require.Positive(t, said)
			s.good.carryOn(t, 1)
		},
	},
}

// inXML is the answer to what looks like a bad message in XML.
var inXML = regexp.MustCompile(`<command action="Unknown" Response="Error">[^<]*</command>\n`)

// sendGarbage sends random bytes until it is closed or has had enough. Of two clients
// one ends a packet at each line end, of four two never begin to speak XML.
func sendGarbage(w *wire, client int) {
	random := rand.NewChaCha8([32]byte{byte(client)})
	for range 32 {
		piece := make([]byte, 8<<10)
		_, _ = random.Read(piece)
		if client%4 < 2 {
			piece = bytes.ReplaceAll(piece, []byte("<"), nil)
		}
		if client%2 == 0 {
			piece = bytes.ReplaceAll(piece, []byte("\n"), []byte("\r\n\r\n"))
		}
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

var wrongProtocols = []hostility{
	{
		name:    "TLS on a plain port",
		promise: "the client's own library says that this is no TLS",
		attack: func(t *testing.T, s *siege) {
			for range 10 {
				err := tls.Client(s.dial(t), &tls.Config{ServerName: "localhost"}).Handshake()
				require.ErrorContains(t, err, "first record does not look like a TLS handshake")
			}
			s.good.carryOn(t, 1)
		},
	},
	{
		name:    "plain text and silence on a TLS port",
		promise: "the one is closed at once, the other by auth_timeout; neither is greeted, and others get in",
		config:  daemon.Config{Sessions: `auth_timeout = "2s"`},
		secured: true,
		attack: func(t *testing.T, s *siege) {
			secured := address(t, s.Daemon, func(addr string) bool { return strings.HasPrefix(addr, "127.0.0.3:") })
			dial := func() net.Conn {
				conn, err := net.Dial("tcp", secured)
				require.NoError(t, err)
				s.attackers = append(s.attackers, conn)
				patient(t, conn)
				return conn
			}
			var silent []net.Conn
			for range 20 {
				silent = append(silent, dial())
				talks := dial()
				_, err := io.WriteString(talks, "Action: Login\r\nUsername: ampd\r\nSecret: ampdsecret\r\n\r\n")
				require.NoError(t, err)
				got, _ := io.ReadAll(talks) // its end may be a reset: ampd has not read all
				require.NotContains(t, string(got), "Asterisk")
			}
			w, err := newWire("over TLS", tls.Client(dial(), &tls.Config{InsecureSkipVerify: true}))
			require.NoError(t, err)
			require.NoError(t, w.logIn(intruding))
			for _, conn := range silent {
				got, err := io.ReadAll(conn)
				require.NoError(t, err)
				require.Empty(t, got)
			}
			require.Equal(t, len(silent), metric(t, s.Daemon, gone("auth_timeout")))
			s.good.carryOn(t, 1)
		},
	},
	{
		name:    "HTTP on the AMI port",
		promise: "a browser gets no page, and what a page makes it send runs nothing without a secret",
		attack: func(t *testing.T, s *siege) {
			answer, err := (&http.Client{Timeout: goodLimit}).Get("http://" + s.Addr + "/")
			if err == nil {
				answer.Body.Close()
			}
			require.Error(t, err, "the greeting is no HTTP")

			const stop = "Action: Command\r\nCommand: core stop now\r\n\r\n"
			const body = stop + "Action: Login\r\nUsername: ampd\r\nSecret: a guess\r\n\r\n" + stop
			w := s.stranger(t)
			_, err = fmt.Fprintf(w, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", s.Addr, len(body), body)
			require.NoError(t, err)
			got, err := w.rest()
			require.NoError(t, err)
			require.Equal(t, []string{
				"Response: Error\r\nMessage: " + missingAction + "\r\n\r\n",
				"Response: Error\r\nMessage: " + denied + "\r\n\r\n",
				"Response: Error\r\nMessage: Authentication failed\r\n\r\n",
			}, got)
			s.good.carryOn(t, 1)
		},
	},
}

// securedListener is that of a TLS listener on 127.0.0.3.
func securedListener(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pair.pem")
	certify(t, file)
	return fmt.Sprintf("[[listen]]\naddress = \"127.0.0.3:0\"\ntls_cert_file = %q\ntls_key_file = %q\n", file, file)
}

// certify writes a new certificate, which is returned, and its key to the file.
func certify(t *testing.T, file string) []byte {
	t.Helper()
	own := clientCertificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	pair := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	require.NoError(t, os.WriteFile(file, pair, 0o600))
	return own.Certificate.Certificate[0]
}
