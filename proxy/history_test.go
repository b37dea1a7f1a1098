package proxy

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/simulator"
)

// A caller of a busy call centre hears of no restart.
func TestStatisticsGoOnAfterARestart(t *testing.T) {
	centre, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_ = simulator.New(simulator.Config{Seed: 1, CallsPerMinute: 1200, Pace: 50, WriteTimeout: time.Second}).Serve(ctx, centre)
	})
	defer running.Wait()
	defer stop()
	file := filepath.Join(t.TempDir(), "history.sqlite")
	begin := func(t *testing.T) *asker {
		cfg := DefaultConfig()
		cfg.Statistics.Timezone = "UTC"
		cfg.History.File = file
		cfg.Upstream.Address, cfg.Upstream.Username, cfg.Upstream.Secret = centre.Addr().String(), simulator.DefaultUser.Name, config.Secret(simulator.DefaultUser.Secret)
		l := downstream.Listener{}
		l.Defaults()
		l.Address = "127.0.0.1:0"
		cfg.Listen = []downstream.Listener{l}
		store, problems := profiles.Parse(ProfilesFile, testProfiles, nil)
		require.NoError(t, problems.Err())
		r := runFiles(t, Files{Config: cfg, Profiles: store})
		r.logs("connected to Asterisk")
		return newAsker(t, r.addrs[0])
	}
	offered := func(items []*codec.Packet) (sum int) {
		for _, p := range items[1:] {
			if n, err := strconv.Atoi(p.Get("Offered")); err == nil && p.Name() == "QueueStatistic" {
				sum += n
			}
		}
		return sum
	}
	const askQueues = "StatisticInfo\r\nType: Queue"
	var since string
	t.Run("before", func(t *testing.T) {
		a := begin(t)
		require.Eventually(t, func() bool {
			items := a.list(askQueues)
			since = items[0].Get("Since")
			return offered(items) > 10
		}, time.Minute, 10*time.Millisecond)
	})

	// What ended before is in the file, and something of yesterday.
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	var kept int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT sum(offered) FROM queue_days").Scan(&kept))
	require.Greater(t, kept, 10)
	now := time.Now()
	_, err = db.ExecContext(t.Context(), "UPDATE meta SET value = ? WHERE name = 'since'", now.AddDate(0, 0, -3).Unix())
	require.NoError(t, err)
	for days := range 3 {
		_, err = db.ExecContext(t.Context(), "INSERT INTO activity VALUES (?, '', 'Zoe', 'Login', 'PJSIP/zoe', 'Zoe', 'sales', '', '', 0)", now.AddDate(0, 0, -days-1).Unix())
		require.NoError(t, err)
	}

	t.Run("after", func(t *testing.T) {
		a := begin(t)
		items := a.list(askQueues)
		require.GreaterOrEqual(t, offered(items), kept)
		day := now.UTC().Truncate(24 * time.Hour)
		require.Equal(t, strconv.FormatInt(day.Unix(), 10), items[0].Get("Since"), "before that it was %s", since)
		require.Eventually(t, func() bool {
			var gaps int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM gaps WHERE reason = 'ampd was not running' AND end > ?", now.Add(-time.Minute).Unix()).Scan(&gaps))
			return gaps == 1
		}, time.Minute, 10*time.Millisecond)

		asked := strconv.FormatInt(now.Add(-49*time.Hour).Unix(), 10)
		items = a.list("AgentActivity\r\nAgent: zoe\r\nSince: " + asked)
		require.Equal(t, asked, items[0].Get("Since"))
		require.Len(t, items, 4, "two entries and the end")
		require.Equal(t, strconv.FormatInt(now.AddDate(0, 0, -2).Unix(), 10), items[1].Get("Time"))
		require.Len(t, a.list("AgentActivity\r\nAgent: zoe"), 2, "nothing today")
		items = a.list("AgentActivity\r\nAgent: zoe\r\nSince: 1000")
		require.Len(t, items, 5)
		require.Equal(t, strconv.FormatInt(now.AddDate(0, 0, -3).Unix(), 10), items[0].Get("Since"), "before that nothing is known")
	})
}

// An asker is a client that sees no events.
type asker struct {
	t    *testing.T
	conn net.Conn
	in   *native.Decoder
}

func newAsker(t *testing.T, addr net.Addr) *asker {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	in := bufio.NewReader(conn)
	_, err = in.ReadString('\n')
	require.NoError(t, err)
	a := &asker{t, conn, native.NewDecoder(in, native.FromAsterisk)}
	a.send("Login\r\nType: administrator\r\nUsername: admin\r\nSecret: s\r\nEvents: off")
	require.Equal(t, "Success", a.next().Get("Response"))
	return a
}

func (a *asker) send(action string) {
	a.t.Helper()
	_, err := fmt.Fprintf(a.conn, "Action: %s\r\n\r\n", action)
	require.NoError(a.t, err)
}

// next is the next packet but for FullyBooted.
func (a *asker) next() *codec.Packet {
	a.t.Helper()
	for {
		var p codec.Packet
		require.NoError(a.t, a.in.Decode(&p))
		if p.Name() != "FullyBooted" {
			return p.Copy()
		}
	}
}

// list asks for a list: its response, items and end.
func (a *asker) list(action string) (packets []*codec.Packet) {
	a.t.Helper()
	a.send(action)
	for {
		p := a.next()
		packets = append(packets, p)
		require.NotEqual(a.t, "Error", p.Get("Response"), p.Get("Message"))
		if strings.EqualFold(p.Get("EventList"), "Complete") {
			return packets
		}
	}
}
