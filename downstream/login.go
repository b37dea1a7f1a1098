package downstream

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"ampd/audit"
	"ampd/codec"
	"ampd/codec/native"
	"ampd/profiles"
)

// loginDelay is how long a refused login waits for its answer, as in Asterisk
// (action_login; 1.00 s observed with Asterisk 16 and 22).
const loginDelay = time.Second

// strangerBacklog is what may wait for a client that has not logged in and does not
// read, in bytes.
const strangerBacklog = 64 << 10

// logIn greets the client and answers it until a login was verified, at most
// auth_timeout. The error says why there will be none; all answers were sent.
func (s *Session) logIn(ctx context.Context) (Login, error) {
	until := time.Now().Add(s.server.limits.Get().AuthTimeout.Std())
	s.conn.SetReadDeadline(until) // that of writing is the writer's
	if c, ok := s.conn.(*tls.Conn); ok {
		s.conn.SetWriteDeadline(until)
		if err := c.HandshakeContext(ctx); errors.Is(err, os.ErrDeadlineExceeded) {
			return Login{}, errAuthTimeout
		} else if err != nil {
			return Login{}, fmt.Errorf("TLS handshake: %w", err)
		}
	}
	s.conn.SetWriteDeadline(time.Time{})
	if !s.manner.voice.XML {
		greeting := s.server.handler.Greeting()
		if greeting == "" {
			greeting = s.manner.greeting
		}
		s.say([]byte(greeting + "\r\n"))
	}
	for {
		p := new(codec.Packet)
		err := s.decode(p)
		switch {
		case err != nil && isMalformed(err):
			s.answer(Unknown, Malformed(err))
			continue
		case errors.Is(err, errPolicy):
			s.say(s.manner.policy)
			return Login{}, err
		case errors.Is(err, os.ErrDeadlineExceeded):
			return Login{}, errAuthTimeout
		case err != nil:
			return Login{}, ErrClientLeft
		case len(p.Headers) == 0:
			continue
		}
		switch action := p.ActionName(); {
		case action == "":
			s.answer(Unknown, native.Answer(p, "Error", "Missing action in request"))
		case strings.EqualFold(action, "Logoff"):
			s.answer("Logoff", native.Answer(p, "Goodbye", "Thanks for all the fish."))
			return Login{}, ErrLogoff
		case strings.EqualFold(action, "Challenge"):
			s.answer("Challenge", s.Challenge(p))
		case strings.EqualFold(action, "Login"), strings.EqualFold(action, "Register"):
			voice, err := s.verify(ctx, p)
			if err != nil {
				return Login{}, err
			}
			s.conn.SetReadDeadline(time.Time{})
			s.reader.nul = voice.NUL
			return Login{Profile: s.profile, Role: s.role, Voice: voice, Action: p}, nil
		default:
			s.answer(Unknown, native.Answer(p, "Error", "Permission denied"))
		}
	}
}

// say sends to a client that has not logged in.
func (s *Session) say(packet []byte) {
	s.Send(time.Now(), packet)
	s.Flush()
}

// answer answers a client that has not logged in as it has asked.
func (s *Session) answer(command string, packet []byte) {
	v := Voice{NUL: s.manner.voice.NUL, XML: s.reader.xml, Ampd: s.reader.xml}
	s.say(v.Append(nil, command, packet))
}

// voice is how a login asks to be spoken to, with its profile where that is known. refusal
// says in words for the client what is wrong with it.
func (s *Session) voice(p *codec.Packet, profile *profiles.Profile) (v Voice, refusal string) {
	dialect, format := "", ""
	if profile != nil {
		dialect, format = profile.Dialect, profile.Format
	}
	v = s.manner.voice
	v.Ampd = s.reader.xml || p.Get("Type") != "" || dialect == "ampd"
	flash := p.Get("isFlash")
	v.NUL = v.NUL || codec.IsTrue(flash)
	if flash != "" && !codec.IsTrue(flash) && !codec.IsFalse(flash) {
		refusal = "isFlash must be true or false"
	}
	switch strings.ToLower(p.Get("Format")) {
	case "":
	case "xml":
		format = "xml"
	case "asterisk":
		format = "asterisk"
	default:
		refusal = "Format must be XML or Asterisk"
	}
	if format != "" {
		v.XML = format == "xml"
	}
	if !v.Ampd {
		v.XML, v.ResponseFirst = false, false
	}
	if s.reader.xml && p.Get("Type") == "" {
		refusal = "Missing required parameter: Type"
	}
	return v, refusal
}

// verify checks the Login p and sets the session's profile, or says to the client
// what is wrong and returns why.
func (s *Session) verify(ctx context.Context, p *codec.Packet) (Voice, error) {
	name := p.Get("Username")
	if name == "" {
		name = p.Get("User")
	}
	profile, err := s.authenticate(ctx, p, name)
	voice, wrong := s.voice(p, profile)
	refusal, result := "Authentication failed", "refused"
	if err == nil {
		s.role, refusal = s.server.profiles.Role(profile, p.Get("Type"), p.Get("AgentID"))
		if wrong != "" {
			refusal = wrong
		}
		if refusal == "" && !s.server.loggedIn(s, profile) && !s.displaces(profile, p) {
			refusal, result = "Login Already In Use", "busy"
		}
	}
	if err == nil && refusal == "" {
		s.server.metrics.logins.WithLabelValues("accepted").Inc()
		s.server.log.Info("client logged in", zap.Uint64("client", s.id),
			zap.String("address", s.Address()), zap.String("profile", profile.Name))
		return voice, nil
	}
	s.server.metrics.logins.WithLabelValues(result).Inc()
	// One line for each, its form fixed: fail2ban and the like read it.
	s.server.log.Warn("login refused", zap.Uint64("client", s.id),
		zap.String("address", s.Address()), zap.String("profile", name), zap.NamedError("reason", reason(err, refusal)))
	s.server.audit.Write(audit.Line{
		Time: time.Now(), Event: "login", Result: "refused", Rule: reason(err, refusal).Error(),
		Client: s.id, Profile: name, Address: s.Address(),
	})
	select {
	case <-time.After(loginDelay):
	case <-s.closed:
	}
	if voice, _ = s.voice(p, nil); s.reader.xml && p.Get("Format") == "" {
		voice.XML = true
	}
	s.say(voice.Append(nil, "Login", native.Answer(p, "Error", refusal)))
	return Voice{}, errLoginRefused
}

// displaces tells whether there is room for the login once the session that it is to
// resume, whose connection may seem to live on, is no more counted.
func (s *Session) displaces(profile *profiles.Profile, p *codec.Packet) bool {
	old := s.server.handler.Displace(Login{Profile: profile, Role: s.role, Action: p})
	if old == nil {
		return false
	}
	s.server.uncount(old)
	return s.server.loggedIn(s, profile)
}

func reason(err error, refusal string) error {
	if err != nil {
		return err
	}
	return errors.New(refusal)
}

// authenticate finds the profile that the Login p is allowed to use: by where it comes
// from, its secret, or the answer to this session's challenge.
func (s *Session) authenticate(ctx context.Context, p *codec.Packet, name string) (*profiles.Profile, error) {
	if profile, ok := s.server.profiles.Trusts(name, p.Get("Type"), s.addr); ok {
		return profile, nil
	}
	if strings.EqualFold(p.Get("AuthType"), "MD5") {
		return s.server.profiles.VerifyMD5(name, s.challenge, p.Get("Key"), s.addr)
	}
	return s.server.profiles.Verify(ctx, name, p.Get("Secret"), s.addr)
}

// Challenge answers the action Challenge: the same text each time, random for each
// session (action_challenge in main/manager.c). After Join one call at a time is made, by
// the handler.
func (s *Session) Challenge(p *codec.Packet) []byte {
	if !strings.EqualFold(p.Get("AuthType"), "MD5") {
		return native.Answer(p, "Error", "Must specify AuthType")
	}
	if s.challenge == "" {
		var random [8]byte
		rand.Read(random[:]) // never fails
		s.challenge = strconv.FormatUint(binary.BigEndian.Uint64(random[:]), 10)
	}
	return native.AppendEnd(native.AppendHeader(native.AppendAnswer(nil, p, "Success"), "Challenge", s.challenge))
}
