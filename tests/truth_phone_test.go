package tests

import (
	"crypto/md5"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A phone is a SIP phone that registers, and answers when it is asked whether it is there
// (RFC 3261, RFC 2617).
type phone struct {
	net.Conn
	name, secret string
	answers      chan string // to REGISTER
	sent         int
	deaf         atomic.Bool // does not answer
}

// newPhone makes one for a registrar, whose goroutine ends with the test.
func newPhone(t *testing.T, registrar, name, secret string) *phone {
	t.Helper()
	conn, err := net.Dial("udp", registrar)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	f := &phone{Conn: conn, name: name, secret: secret, answers: make(chan string, 100)}
	go f.listen()
	return f
}

func (f *phone) listen() {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		if err != nil {
			return
		}
		message := string(buf[:n])
		if strings.HasPrefix(message, "SIP/2.0 ") {
			f.answers <- message
			continue
		}
		if f.deaf.Load() {
			continue
		}
		answer := "SIP/2.0 200 OK\r\n"
		for line := range strings.SplitSeq(message, "\r\n") {
			if name, _, _ := strings.Cut(line, ":"); name == "Via" || name == "From" || name == "To" || name == "Call-ID" || name == "CSeq" {
				answer += line + "\r\n"
			}
		}
		if _, err := f.Write([]byte(answer + "Content-Length: 0\r\n\r\n")); err != nil {
			return
		}
	}
}

// register registers for so many seconds; 0 ends that.
func (f *phone) register(t *testing.T, seconds int) {
	t.Helper()
	answer := f.ask(t, seconds, "")
	require.Contains(t, answer, "401 Unauthorized")
	uri := "sip:" + f.RemoteAddr().String()
	realm, nonce := f.quoted(answer, "realm"), f.quoted(answer, "nonce")
	how := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=MD5`, f.name, realm, nonce, uri)
	secret, request := hash(f.name+":"+realm+":"+f.secret), hash("REGISTER:"+uri)
	if strings.Contains(answer, `qop="auth"`) {
		how += fmt.Sprintf(`, qop=auth, nc=00000001, cnonce="c", response="%s"`, hash(secret+":"+nonce+":00000001:c:auth:"+request))
	} else {
		how += fmt.Sprintf(`, response="%s"`, hash(secret+":"+nonce+":"+request))
	}
	if opaque := f.quoted(answer, "opaque"); opaque != "" {
		how += fmt.Sprintf(`, opaque="%s"`, opaque)
	}
	require.Contains(t, f.ask(t, seconds, "Authorization: "+how+"\r\n"), "200 OK")
}

func hash(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

// quoted is the value of a parameter of a challenge, "" where it has none.
func (f *phone) quoted(answer, name string) string {
	found := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(answer)
	if found == nil {
		return ""
	}
	return found[1]
}

// ask sends a REGISTER until it has its answer.
func (f *phone) ask(t *testing.T, seconds int, authorization string) string {
	t.Helper()
	f.sent++
	self := f.LocalAddr().String()
	message := fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%s-%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%s@127.0.0.1>;tag=t\r\nTo: <sip:%s@127.0.0.1>\r\nCall-ID: %s@%s\r\nCSeq: %d REGISTER\r\n"+
		"Contact: <sip:%s@%s>\r\nExpires: %d\r\n%sContent-Length: 0\r\n\r\n",
		f.RemoteAddr(), self, self, f.sent, f.name, f.name, f.name, self, f.sent, f.name, self, seconds, authorization)
	timeout := time.After(wireLimit)
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		_, err := f.Write([]byte(message))
		require.NoError(t, err)
		for asked := true; asked; {
			select {
			case answer := <-f.answers:
				if strings.Contains(answer, fmt.Sprintf("CSeq: %d REGISTER", f.sent)) && !strings.HasPrefix(answer, "SIP/2.0 100") {
					return answer
				}
			case <-again.C:
				asked = false
			case <-timeout:
				require.FailNow(t, "the registrar does not answer", "%s", message)
			}
		}
	}
}
