package asterisk

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// folder is tests/asterisk as seen from a test's working folder, which is its
// package's own somewhere in the module.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "tests", "asterisk"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside the module")
		}
		dir = parent
	}
}

// Cache is the folder that holds what the tests install: $AMPD_CACHE or
// ~/.cache/ampd.
func Cache() (string, error) {
	if dir := os.Getenv("AMPD_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "ampd"), nil
}

// Versions are the names in the file versions, in its order: "22", "16".
func Versions() []string {
	lines, err := versionLines()
	if err != nil {
		panic(fmt.Sprintf("read the versions of Asterisk: %v", err))
	}
	var names []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	return names
}

// versionLines are the lines of the file versions that are not comments, their
// fields apart by one blank.
func versionLines() ([]string, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(dir, "versions"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line := strings.Join(strings.Fields(scanner.Text()), " ")
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines, scanner.Err()
}

// installed is the root folder of a version, installed now if it is not there. A
// machine that can't have it skips the test, and fails it in CI.
func installed(t testing.TB, version string) string {
	t.Helper()
	root, err := install(version)
	if errors.Is(err, errNotHere) && os.Getenv("CI") == "" {
		t.Skipf("no Asterisk %s: %v", version, err)
	}
	if err != nil {
		t.Fatalf("no Asterisk %s: %v", version, err)
	}
	return root
}

var errNotHere = errors.New("a real Asterisk needs Linux, root and Debian's apt-get")

func install(version string) (root string, err error) {
	if os.Getuid() != 0 {
		return "", errNotHere
	}
	lines, err := versionLines()
	if err != nil {
		return "", err
	}
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	root = filepath.Join(cache, "asterisk-"+version)
	for _, line := range lines {
		if !strings.HasPrefix(line, version+" ") {
			continue
		}
		stamp, _ := os.ReadFile(filepath.Join(root, ".installed"))
		if strings.TrimSpace(string(stamp)) == line {
			return root, nil
		}
		if _, err := exec.LookPath("apt-get"); err != nil {
			return "", errNotHere
		}
		dir, err := folder()
		if err != nil {
			return "", err
		}
		if out, err := exec.Command(filepath.Join(dir, "install"), version).CombinedOutput(); err != nil {
			return "", fmt.Errorf("install: %w\n%s", err, out)
		}
		return root, nil
	}
	return "", errors.New("tests/asterisk/versions does not name it")
}
