package tests

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

const (
	alertRules = "../contrib/prometheus/ampd.rules.yml"
	dashboard  = "../contrib/grafana/ampd.json"
)

// tool is the path of a program of Debian's package prometheus.
func tool(t *testing.T, name string) string {
	t.Helper()
	needClients(t)
	cache, err := asterisk.Cache()
	require.NoError(t, err)
	return filepath.Join(cache, name)
}

func TestAlertsComeAndStayAway(t *testing.T) {
	promtool := tool(t, "promtool")
	dir := t.TempDir()
	for _, file := range []string{alertRules, "prometheus/rules_test.yml"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600))
	}
	for _, args := range [][]string{{"check", "rules", "ampd.rules.yml"}, {"test", "rules", "rules_test.yml"}} {
		run := exec.Command(promtool, args...)
		run.Dir = dir
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	// Each alert has a moment when it comes.
	text, err := os.ReadFile("prometheus/rules_test.yml")
	require.NoError(t, err)
	tested := regexp.MustCompile(`alertname: (\w+)\n +exp_alerts:`).FindAllStringSubmatch(string(text), -1)
	rules, err := os.ReadFile(alertRules)
	require.NoError(t, err)
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		require.True(t, slices.ContainsFunc(tested, func(m []string) bool { return m[1] == alert[1] }), alert[1])
	}
}

// A promServer is a Prometheus that scrapes ampd and has the alert rules.
type promServer struct {
	t    *testing.T
	addr string
}

func startPrometheus(t *testing.T, target string) *promServer {
	t.Helper()
	program := tool(t, "prometheus")
	rules, err := filepath.Abs(alertRules)
	require.NoError(t, err)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [%q]
scrape_configs:
  - job_name: ampd
    static_configs: [{targets: [%q]}]
`, rules, target), 0o600))
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--log.format=json",
		"--scrape.discovery-reload-interval=50ms") // before which it scrapes nobody; 5 s otherwise
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	log := bufio.NewScanner(stderr)
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // nothing of it is kept
		<-drained
		_ = cmd.Wait()
	})
	p := &promServer{t: t}
	var seen []string
	for p.addr == "" && log.Scan() {
		var line struct{ Msg, Address string }
		seen = append(seen, log.Text())
		require.NoError(t, json.Unmarshal(log.Bytes(), &line))
		if line.Msg == "Listening on" {
			p.addr = line.Address
		}
	}
	go func() { // ends with the process
		defer close(drained)
		for log.Scan() {
		}
	}()
	require.NotEmpty(t, p.addr, "%s", strings.Join(seen, "\n"))
	return p
}

// get asks the HTTP API. problem is why there is no answer: Prometheus is not ready, or refuses the question.
func (p *promServer) get(path string, values url.Values, data any) (problem string) {
	p.t.Helper()
	answer, err := http.Get("http://" + p.addr + "/api/v1/" + path + "?" + values.Encode())
	require.NoError(p.t, err)
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusServiceUnavailable {
		return "not ready"
	}
	var body struct {
		Status, Error string
		Data          json.RawMessage
	}
	require.NoError(p.t, json.NewDecoder(answer.Body).Decode(&body))
	if body.Status != "success" {
		return body.Error
	}
	require.NoError(p.t, json.Unmarshal(body.Data, data))
	return ""
}

// A sample is one of a query's results.
type sample struct {
	Metric map[string]string
	Value  [2]any
}

func (s sample) number(t *testing.T) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(s.Value[1].(string), 64)
	require.NoError(t, err)
	return n
}

// query has an expression computed. One that can't be read fails the test.
func (p *promServer) query(expr string) []sample {
	p.t.Helper()
	var data struct{ Result []sample }
	problem := p.get("query", url.Values{"query": {expr}}, &data)
	require.NotContains(p.t, problem, "parse error", expr)
	return data.Result
}

// until waits for what Prometheus comes to know, at most 20 s.
func (p *promServer) until(what string, holds func() bool) {
	p.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-again.C:
		case <-timeout:
			require.FailNow(p.t, "not seen in Prometheus", "%s", what)
		}
	}
}

// comes waits until an expression has a result that is a number.
func (p *promServer) comes(expr string) {
	p.t.Helper()
	p.until(expr, func() bool {
		return slices.ContainsFunc(p.query(expr), func(s sample) bool { return !math.IsNaN(s.number(p.t)) })
	})
}

// becomes waits until an expression has that one result.
func (p *promServer) becomes(expr string, want float64) {
	p.t.Helper()
	var got []sample
	p.until(fmt.Sprintf("%s = %v", expr, want), func() bool {
		got = p.query(expr)
		return len(got) == 1 && got[0].number(p.t) == want
	})
}

// TestPrometheus has a real one scrape ampd while callers come, and asks it all that the dashboard and the alerts do.
func TestPrometheus(t *testing.T) {
	s := asterisk.Start(t, asterisk.Versions()[0])
	d := daemon.Start(t, s.Addr, daemon.Config{})
	d.WaitReady(t)
	p := startPrometheus(t, d.HTTP)
	p.becomes(`ampd_queue_calls_total{queue="support", outcome="answered"}`, 0)

	client, err := asterisk.Dial(d.Addr)
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.Login(asterisk.Ampd, "Events: on"))
	callers(t, s, "600", 6, 6) // support answers at once
	callers(t, s, "603", 1, 20)
	callers(t, s, "603", 1, 2)
	require.NoError(t, client.Send("Action: CoreStatus"))
	p.until("an alert of callers without agents", func() bool {
		var data struct {
			Alerts []struct {
				Labels map[string]string
				State  string
			}
		}
		require.Empty(t, p.get("alerts", nil, &data))
		for _, a := range data.Alerts {
			if a.Labels["alertname"] == "QueueWithoutAgents" && a.Labels["queue"] == "empty" {
				return a.State == "pending"
			}
		}
		return false
	})
	for expr, want := range map[string]float64{
		`sum by (queue) (ampd_queue_offered_total{queue="support"})`:              6,
		`sum by (queue) (ampd_queue_calls_total{queue="support"})`:                6,
		`sum(ampd_queue_calls_total{queue="support", outcome="answered"})`:        6,
		`sum(ampd_queue_completed_total{queue="support"})`:                        6,
		`sum(ampd_agent_calls_total{outcome="answered"})`:                         6,
		`sum(ampd_queue_calls_total{queue="empty", outcome="timed_out"})`:         1,
		`sum(ampd_queue_calls_total{queue="empty", outcome="abandoned"})`:         1,
		`sum(ampd_queue_short_abandoned_total{queue="empty"})`:                    1,
		`ampd_queue_service_level_ratio{queue="support"}`:                         1,
		`ampd_queue_service_level_ratio{queue="empty"}`:                           0,
		`sum(ampd_queue_callers)`:                                                 0,
		`sum(ampd_queue_members{queue="support"})`:                                6,
		`sum(ampd_agent_talk_seconds_total) - sum(ampd_queue_talk_seconds_total)`: 0,
		`count(ampd_agent_status{agent="Alice One"})`:                             1,
	} {
		p.becomes(expr, want)
	}

	t.Run("dashboard", func(t *testing.T) { testDashboard(t, &promServer{t, p.addr}) })
	t.Run("alerts", func(t *testing.T) { testAlerts(t, &promServer{t, p.addr}) })
	t.Run("document", func(t *testing.T) { testDocumented(t, &promServer{t, p.addr}) })
}

// callers are n who call an extension and hang up when their patience, in seconds, is over.
func callers(t *testing.T, s *asterisk.Server, exten string, n, patience int) {
	t.Helper()
	conn, err := asterisk.Dial(s.Addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Login(asterisk.Ampd, "Events: off"))
	ask := func(lines ...string) {
		require.NoError(t, conn.Send(lines...))
		answer, err := conn.Read()
		require.NoError(t, err)
		require.Equal(t, "Success", answer.Get("Response"), answer)
	}
	ask("Action: Setvar", "Variable: RNA", "Value: 0")
	for i := range n {
		ask("Action: Originate", fmt.Sprintf("Channel: Local/c%d@callers/n", i), "Context: queue-entry", "Exten: "+exten,
			"Priority: 1", "Async: true", fmt.Sprintf("Variable: PATIENCE=%d", patience))
	}
}

// testDashboard asks each question of the dashboard; traffic has given each an answer.
func testDashboard(t *testing.T, p *promServer) {
	text, err := os.ReadFile(dashboard)
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, W int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct {
				Name, Type, Definition string
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	fill := strings.NewReplacer("$instance", ".*", "$queue", ".*", "$__range", "1h", "$__rate_interval", "30s")
	for _, v := range board.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.Definition)
		require.NotNil(t, parts, v.Definition)
		p.comes("count by (" + parts[2] + ") (" + fill.Replace(parts[1]) + ")")
	}
	asked, ids := 0, map[int]bool{}
	for _, panel := range board.Panels {
		require.False(t, ids[panel.ID], panel.Title)
		ids[panel.ID] = true
		require.LessOrEqual(t, panel.GridPos.X+panel.GridPos.W, 24, panel.Title)
		for _, target := range panel.Targets {
			expr := fill.Replace(target.Expr)
			require.NotContains(t, expr, "$", panel.Title)
			p.comes(expr)
			asked++
		}
	}
	require.Equal(t, strings.Count(string(text), `"expr":`), asked)
}

// selectors are what an expression reads of which series.
var selectors = regexp.MustCompile(`\b(?:ampd_\w+|process_\w+|up)\b(?:\{[^}]*\})?`)

// testAlerts sees that Prometheus computes each alert, and that there is all that it reads.
func testAlerts(t *testing.T, p *promServer) {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Query, Health, LastError string }
		}
	}
	p.until("all alerts computed", func() bool {
		require.Empty(t, p.get("rules", nil, &data))
		for _, g := range data.Groups {
			for _, r := range g.Rules {
				require.Empty(t, r.LastError, r.Name)
				if r.Health != "ok" {
					return false
				}
			}
		}
		return len(data.Groups) > 0
	})
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			found := selectors.FindAllString(r.Query, -1)
			require.NotEmpty(t, found, r.Name)
			for _, selector := range found {
				p.comes("count(" + selector + ")")
			}
		}
	}
}

// testDocumented looks for what ampd really shows in the table of docs/operations.md.
func testDocumented(t *testing.T, p *promServer) {
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	var data []struct{ Metric string }
	require.Empty(t, p.get("targets/metadata", url.Values{"match_target": {`{job="ampd"}`}}, &data))
	shown := 0
	for _, m := range data {
		if strings.HasPrefix(m.Metric, "ampd_") {
			shown++
			require.True(t, regexp.MustCompile("(?m)^\\| `"+m.Metric+`(\{.*\})?`+"` \\|").Match(text), m.Metric)
		}
	}
	require.Greater(t, shown, 40)
}
