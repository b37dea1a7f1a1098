package proxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"ampd/audit"
	"ampd/codec"
	"ampd/codec/native"
	"ampd/downstream"
	"ampd/history"
	"ampd/pbx"
	"ampd/stats"
	"ampd/upstream"
)

// newFloor is a hub with the state and the statistics of queues whose agents are each a member
// of up to three.
func newFloor(tb testing.TB, queues, agents int) *Hub {
	tb.Helper()
	now, in := time.Now(), min(3, queues)
	state := pbx.New()
	answer := []*codec.Packet{packetOf(tb, "Response: Success|EventList: start")}
	for i := range queues {
		answer = append(answer, packetOf(tb, fmt.Sprintf("Event: QueueParams|Queue: queue-%d|ServiceLevel: 20", i)))
		for j := i; j < in*agents; j += queues {
			answer = append(answer, packetOf(tb, fmt.Sprintf(
				"Event: QueueMember|Queue: queue-%d|Name: Agent %d|Location: PJSIP/%[2]d|StateInterface: PJSIP/%[2]d|Membership: dynamic|InCall: 0|Status: 1|Paused: 0|LoginTime: %d", i, j/in, now.Unix())))
		}
	}
	answer = append(answer, packetOf(tb, "Event: QueueStatusComplete|EventList: Complete"))
	for _, q := range pbx.Questions(func(action string) bool { return action == "QueueStatus" }) {
		require.NoError(tb, state.Load(q, answer, now))
	}
	h := &Hub{state: state, statistics: stats.NewBook(stats.DefaultConfig(), state, now.Add(-time.Second))}
	h.statistics.Loaded(now)
	return h
}

func packetOf(tb testing.TB, lines string) *codec.Packet {
	tb.Helper()
	p := new(codec.Packet)
	require.NoError(tb, native.NewDecoder(strings.NewReader(strings.ReplaceAll(lines, "|", "\r\n")+"\r\n\r\n"), native.FromAsterisk).Decode(p))
	return p
}

func (h *Hub) happen(tb testing.TB, lines ...string) {
	for _, line := range lines {
		p := packetOf(tb, "Event: "+strings.Replace(line, "|", "|Privilege: agent,all|", 1))
		h.state.Apply(p, time.Now())
		h.statistics.Observe(p, time.Now())
	}
}

func TestMetricsOfQueuesAndAgents(t *testing.T) {
	h := newFloor(t, 1, 1)
	const who, agent = "|Channel: SIP/c-1|Uniqueid: c|Linkedid: c|CallerIDNum: 0301234567|Queue: queue-0|Position: 1", "|Interface: PJSIP/0|MemberName: Agent 0|DestUniqueid: d"
	h.happen(t, "Newchannel"+who, "QueueCallerJoin"+who, "AgentCalled"+who+agent, "QueueCallerLeave"+who,
		"AgentConnect"+who+agent+"|HoldTime: 3", "AgentComplete"+who+agent+"|TalkTime: 7|Reason: caller", "QueueCallerJoin"+who)
	requireMetrics(t, h, `
ampd_agent_calls_total{agent="Agent 0",outcome="answered"} 1
ampd_agent_calls_total{agent="Agent 0",outcome="not_answered"} 0
ampd_agent_offered_total{agent="Agent 0"} 1
ampd_agent_status{agent="Agent 0",status="idle"} 1
ampd_agent_talk_seconds_total{agent="Agent 0"} 7
ampd_agents{status="idle"} 1
ampd_agents{status="paused"} 0
ampd_agents{status="ringing"} 0
ampd_agents{status="talking"} 0
ampd_agents{status="unavailable"} 0
ampd_queue_answered_in_time_total{queue="queue-0"} 1
ampd_queue_callers{queue="queue-0"} 1
ampd_queue_calls_total{outcome="abandoned",queue="queue-0"} 0
ampd_queue_calls_total{outcome="answered",queue="queue-0"} 1
ampd_queue_calls_total{outcome="exited_key",queue="queue-0"} 0
ampd_queue_calls_total{outcome="left_empty",queue="queue-0"} 0
ampd_queue_calls_total{outcome="timed_out",queue="queue-0"} 0
ampd_queue_calls_total{outcome="unknown",queue="queue-0"} 0
ampd_queue_calls_total{outcome="withdrawn",queue="queue-0"} 0
ampd_queue_completed_total{by="agent",queue="queue-0"} 0
ampd_queue_completed_total{by="caller",queue="queue-0"} 1
ampd_queue_completed_total{by="transfer",queue="queue-0"} 0
ampd_queue_hold_seconds_total{queue="queue-0"} 3
ampd_queue_members{queue="queue-0",status="idle"} 1
ampd_queue_members{queue="queue-0",status="paused"} 0
ampd_queue_members{queue="queue-0",status="ringing"} 0
ampd_queue_members{queue="queue-0",status="talking"} 0
ampd_queue_members{queue="queue-0",status="unavailable"} 0
ampd_queue_offered_total{queue="queue-0"} 2
ampd_queue_service_level_ratio{queue="queue-0"} 1
`)
}

// requireMetrics compares all series of the metrics that are in want.
func requireMetrics(t *testing.T, h *Hub, want string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(gauges{h})
	answer := httptest.NewRecorder()
	newHTTPServer(registry, nil).Handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	require.NotContains(t, answer.Body.String(), "0301234567")
	var got []string
	for line := range strings.Lines(answer.Body.String()) {
		name, _, _ := strings.Cut(line, "{")
		if !strings.HasPrefix(line, "#") && strings.Contains(want, "\n"+name+"{") {
			got = append(got, line)
		}
	}
	require.Equal(t, strings.TrimPrefix(want, "\n"), strings.Join(got, ""))
}

// A name that is no UTF-8, or has what ends a label, does not keep the others from being shown.
func TestMetricsTakeAnyName(t *testing.T) {
	h := newFloor(t, 1, 1)
	for _, queue := range []string{"caf\xe9", "café", "a\"b\\c", "(other)", "other"} {
		h.happen(t, "QueueMemberAdded|Queue: "+queue+"|MemberName: x|Interface: PJSIP/x|Status: 1")
	}
	requireMetrics(t, h, `
ampd_queue_callers{queue="(other)"} 0
ampd_queue_callers{queue="a\"b\\c"} 0
ampd_queue_callers{queue="café"} 0
ampd_queue_callers{queue="other"} 0
ampd_queue_callers{queue="queue-0"} 0
`)
}

// Each figure of the statistics but the longest is a counter.
func TestEachFigureIsACounter(t *testing.T) {
	requireCounters(t, queueCounters, stats.QueueColumns)
	requireCounters(t, agentCounters, stats.AgentColumns)
}

func requireCounters[T any](t *testing.T, counters []counter[T], columns []stats.Column[T]) {
	t.Helper()
	var totals T
	var want, got []int64
	for i, c := range columns {
		*c.Of(&totals) = int64(i + 1)
		if !c.Longest {
			want = append(want, int64(i+1))
		}
	}
	for _, c := range counters {
		got = append(got, c.of(&totals))
	}
	require.ElementsMatch(t, want, got)
}

// A recorder takes note of what is registered.
type recorder struct{ descs []*prometheus.Desc }

func (r *recorder) Register(c prometheus.Collector) error {
	r.MustRegister(c)
	return nil
}

func (r *recorder) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		descs := make(chan *prometheus.Desc)
		go func() {
			c.Describe(descs)
			close(descs)
		}()
		for d := range descs {
			r.descs = append(r.descs, d)
		}
	}
}

func (r *recorder) Unregister(prometheus.Collector) bool { return false }

// TestDocumentHasEachMetric holds the table of docs/operations.md against what ampd counts: name,
// labels and help.
func TestDocumentHasEachMetric(t *testing.T) {
	var r recorder
	newHubMetrics(&r)
	upstream.NewMetrics(&r)
	downstream.NewMetrics(&r)
	audit.NewMetrics(&r)
	history.NewMetrics(&r)
	r.MustRegister(gauges{})
	desc := regexp.MustCompile(`^Desc\{fqName: "(.*)", help: "(.*)", unit: "", constLabels: \{\}, variableLabels: (.*)\}$`)
	var want []string
	for _, d := range r.descs {
		parts := desc.FindStringSubmatch(d.String())
		require.NotNil(t, parts, d.String())
		want = append(want, fmt.Sprintf("| `%s` | %s |", strings.TrimSuffix(parts[1]+parts[3], "{}"), strings.TrimSuffix(parts[2], ".")))
	}
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	told := regexp.MustCompile("(?m)^\\| `ampd_.*\\|$").FindAllString(string(text), -1)
	slices.Sort(want)
	slices.Sort(told)
	require.Equal(t, strings.Join(want, "\n"), strings.Join(told, "\n"))
}

// What is done under the hub's lock is the time of sums; all is that and what comes behind it.
func BenchmarkMetrics(b *testing.B) {
	h := newFloor(b, 200, 2000)
	begin, _ := time.Parse(time.DateOnly, time.Now().Format(time.DateOnly))
	for i := range 24 * 200 { // a call in each hour of the day
		at := begin.Add(time.Duration(i/200) * time.Hour)
		who := fmt.Sprintf("|Uniqueid: %d|Queue: queue-%d", i, i%200)
		h.statistics.Observe(packetOf(b, "Event: QueueCallerJoin"+who), at)
		h.statistics.Observe(packetOf(b, "Event: Hangup"+who), at.Add(10*time.Second))
	}
	queues, _ := h.statistics.Sums(time.Now())
	require.Greater(b, queues[0].Decided, int64(20))
	b.Run("under the lock", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.state.Counts()
			h.statistics.Sums(time.Now())
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		registry := prometheus.NewRegistry()
		registry.MustRegister(gauges{h})
		for b.Loop() {
			families, err := registry.Gather()
			require.NoError(b, err)
			require.NotEmpty(b, families)
		}
	})
}
