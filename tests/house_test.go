package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// levels is the house: a package imports only from levels below its own.
// docs/architecture.md says what lives on each.
var levels = [][]string{
	0: {"codec", "socket", "config"},
	1: {"codec/native", "codec/xml", "profiles", "actions"},
	2: {"pbx", "audit"},
	3: {"upstream", "downstream", "rights", "stats", "simulator"},
	4: {"commands", "history"},
	5: {"proxy", "report"},
	6: {"cmd/ampd", "tests", "tests/asterisk", "tests/daemon", "tests/faultproxy", "tests/queuelog"},
	7: {"tests/bench"},
}

// goPackage is what "go list -json" says of a package, as far as it is asked.
type goPackage struct {
	ImportPath string
	Imports    []string
	GoFiles    []string
	Doc        string
}

const module = "ampd/"

func TestImportsGoDownOnly(t *testing.T) {
	for _, found := range wrongImports(listPackages(t), levels) {
		t.Error(found)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range listPackages(t) {
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", p.ImportPath)
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// wrongImports names each import that does not go down, and each package that has
// no level.
func wrongImports(packages []goPackage, levels [][]string) []string {
	level := map[string]int{}
	for n, names := range levels {
		for _, name := range names {
			level[module+name] = n
		}
	}
	var wrong []string
	for _, p := range packages {
		own, known := level[p.ImportPath]
		if !known {
			wrong = append(wrong, p.ImportPath+" has no level")
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module) {
				continue
			}
			switch below, known := level[imported]; {
			case !known:
				wrong = append(wrong, p.ImportPath+" imports "+imported+", which has no level")
			case below == own:
				wrong = append(wrong, p.ImportPath+" imports "+imported+" sideways")
			case below > own:
				wrong = append(wrong, p.ImportPath+" imports "+imported+" upwards")
			}
		}
	}
	return wrong
}

func TestWrongImportsAreFound(t *testing.T) {
	house := [][]string{0: {"base"}, 1: {"left", "right"}, 2: {"roof"}}
	tests := map[string]struct {
		importer, imported string
		want               []string
	}{
		"down":                {"roof", "left", nil},
		"down two":            {"roof", "base", nil},
		"out of the house":    {"left", "../strings", nil},
		"sideways":            {"left", "right", []string{"ampd/left imports ampd/right sideways"}},
		"upwards":             {"base", "left", []string{"ampd/base imports ampd/left upwards"}},
		"of unknown level":    {"roof", "shed", []string{"ampd/roof imports ampd/shed, which has no level"}},
		"from one without it": {"shed", "base", []string{"ampd/shed has no level"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			imported, outside := strings.CutPrefix(tc.imported, "../")
			if !outside {
				imported = module + imported
			}
			packages := []goPackage{{ImportPath: module + tc.importer, Imports: []string{imported}}}
			require.Equal(t, tc.want, wrongImports(packages, house))
		})
	}
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles,Doc", "ampd/...")
	var complaints bytes.Buffer
	list.Stderr = &complaints
	out, err := list.Output()
	require.NoError(t, err, complaints.String())
	var packages []goPackage
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		packages = append(packages, p)
	}
	require.NotEmpty(t, packages)
	return packages
}
