package asterisk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// silence is a second or so of music on hold: signed linear, 8,000 samples a second.
const silence = 320_000

// configure makes the instance's folder, in place of what a test that was killed
// left there.
func (s *Server) configure(set *setup) error {
	if err := os.RemoveAll(s.Dir); err != nil {
		return err
	}
	for _, dir := range []string{
		"etc", "run", "log", "lib/keys", "moh",
		"spool/outgoing", "spool/monitor", "spool/voicemail", "spool/tmp", "spool/recording",
	} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "moh", "silence.sln"), make([]byte, silence), 0o644); err != nil {
		return err
	}
	if err := s.makeCertificate(); err != nil {
		return err
	}
	if err := s.makeDevices(); err != nil {
		return err
	}
	return s.fillTemplates(set)
}

func (s *Server) fillTemplates(set *setup) error {
	from, err := folder()
	if err != nil {
		return err
	}
	modules, err := s.modules()
	if err != nil {
		return err
	}
	fill := strings.NewReplacer(
		"@DIR@", s.inRoot(),
		"@MODULES@", modules,
		"@VERSION@", s.Name,
		"@AMI@", strconv.Itoa(s.port),
		"@HTTP@", strconv.Itoa(s.port+1),
		"@TLS@", strconv.Itoa(s.port+2),
		"@PJSIP@", strconv.Itoa(s.port+3),
		"@SIP@", strconv.Itoa(s.port+4),
		"@IAX@", strconv.Itoa(s.port+5),
	)
	for _, dir := range []string{"etc", "etc-" + s.Name} {
		files, err := filepath.Glob(filepath.Join(from, dir, "*.conf"))
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			to := filepath.Join(s.Dir, "etc", filepath.Base(file))
			if err := os.WriteFile(to, []byte(fill.Replace(string(text))), 0o644); err != nil {
				return err
			}
		}
	}
	for name, text := range set.appended {
		file, err := os.OpenFile(filepath.Join(s.Dir, "etc", name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = file.WriteString(text)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// modules is the folder of Asterisk's modules, as Asterisk sees it.
func (s *Server) modules() (string, error) {
	for _, pattern := range []string{"usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules"} {
		found, err := filepath.Glob(filepath.Join(s.root, pattern))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return strings.TrimPrefix(found[0], s.root), nil
		}
	}
	return "", errors.New("no folder of modules")
}

// makeCertificate writes cert.pem, and tls.pem with the key in front as Asterisk
// reads it.
func (s *Server) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Asterisk of a test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), cert...)
	return errors.Join(
		os.WriteFile(s.CAFile, cert, 0o644),
		os.WriteFile(filepath.Join(s.Dir, "etc", "tls.pem"), both, 0o600),
	)
}

// makeDevices gives the root folder the devices that Asterisk opens.
func (s *Server) makeDevices() error {
	for name, minor := range map[string]int{"null": 3, "zero": 5, "random": 8, "urandom": 9} {
		const memory = 1 // the major number of all four
		err := syscall.Mknod(filepath.Join(s.root, "dev", name), syscall.S_IFCHR|0o666, memory<<8|minor)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return &os.PathError{Op: "mknod", Path: name, Err: err}
		}
	}
	return nil
}
