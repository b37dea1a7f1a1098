package pbx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// clockAt is the moment of the i-th packet of a recording: whole seconds, as lists tell
// them.
func clockAt(i int) time.Time { return start.Add(time.Duration(i/100) * time.Second) }

// loaded is a state with the lists of a tour that is yet quiet: queues, agents, peers.
func loaded(t testing.TB, tour string) *State {
	t.Helper()
	_, answers := recorded(t, tour)
	s := New()
	for _, q := range Questions(all) {
		if a := answers[q.Action]; len(a) > 0 && whole(a[0]) == nil {
			require.NoError(t, s.Load(q, a[0], start))
		}
	}
	return s
}

// history is the state after each of the places of a recording.
func history(t testing.TB, s *State, packets []*codec.Packet, places map[int]bool) map[int]*State {
	t.Helper()
	states := map[int]*State{}
	for i, p := range packets {
		if places[i] {
			states[i] = s.Clone()
		}
		s.Apply(p, clockAt(i))
	}
	requireSound(t, s)
	return states
}

// requireMissed holds law 1: what was missed, applied, gives the other state.
func requireMissed(t testing.TB, a, b *State, now time.Time) {
	t.Helper()
	a = a.Clone()
	for _, p := range a.Missed(b, now) {
		require.Equal(t, "1", p.Headers[len(p.Headers)-1].Value)
		require.Equal(t, "AmpdSynthetic", p.Headers[len(p.Headers)-1].Name)
		a.Apply(p, now)
	}
	requireSound(t, a)
	require.Empty(t, toldBy(a.Differences(b), byEvents))
	require.Empty(t, a.Missed(b, now), "what was missed is told once")
}

var traffic = []struct{ tour, events string }{
	{"22-tour.s2c", "22-queue-hour.s2c"},
	{"16-tour.s2c", "16-queue-hour.s2c"},
	{"22-tour.s2c", "22-tour.s2c"},
	{"16-tour.s2c", "16-tour.s2c"},
}

func TestMissedEventsOfRecordedTrafficGiveTheOtherState(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type moment struct {
		*State
		now time.Time
	}
	var states []moment
	for _, r := range traffic {
		packets, _ := recorded(t, r.events)
		places := map[int]bool{}
		for range 25 {
			places[random.IntN(len(packets))] = true
		}
		for i, s := range history(t, loaded(t, r.tour), packets, places) {
			states = append(states, moment{s, clockAt(i)})
		}
	}
	for range 400 {
		a, b := states[random.IntN(len(states))], states[random.IntN(len(states))]
		requireMissed(t, a.State, b.State, b.now)
	}
}

// TestListsConverge holds law 2: a list is ahead of the events that follow it.
func TestListsConverge(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, r := range traffic {
		packets, _ := recorded(t, r.events)
		for range 8 {
			cut := random.IntN(len(packets) - 300)
			ahead := cut + random.IntN(200)
			t.Run(fmt.Sprintf("%s/%d-%d", r.events, cut, ahead), func(t *testing.T) {
				plain := loaded(t, r.tour)
				at := history(t, plain.Clone(), packets[:ahead+1], map[int]bool{cut: true, ahead: true})
				s := New()
				told := byLists
				if random.IntN(2) == 0 {
					s = at[cut].Clone()
				} else { // which of a member's calls is the last no list tells
					told = func(f Field) bool {
						return f.List && (f.Object != "member" || !slices.Contains([]string{"InCall", "CallsTaken", "LastCall"}, f.Name))
					}
				}
				require.NoError(t, s.Load(SnapshotOf(AllObjects), snapshot(t, at[ahead], clockAt(ahead)), clockAt(ahead)))
				require.Empty(t, toldBy(s.Differences(at[ahead]), byLists))
				for i := cut; i < ahead; i++ {
					s.Apply(packets[i], clockAt(ahead))
				}
				requireSound(t, s)
				require.Empty(t, toldBy(s.Differences(at[ahead]), told))
				for i := ahead; i < len(packets); i++ {
					s.Apply(packets[i], clockAt(i))
					at[ahead].Apply(packets[i], clockAt(i))
				}
				require.Empty(t, toldBy(s.Differences(at[ahead]), told))
			})
		}
	}
}

// TestSnapshotCanBeLoaded shows that nothing a list tells gets lost on the way.
func TestSnapshotCanBeLoaded(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, r := range traffic {
		packets, _ := recorded(t, r.events)
		places := map[int]bool{}
		for range 20 {
			places[random.IntN(len(packets))] = true
		}
		for i, s := range history(t, loaded(t, r.tour), packets, places) {
			to := New()
			require.NoError(t, to.Load(SnapshotOf(AllObjects), snapshot(t, s, clockAt(i)), clockAt(i)))
			requireSound(t, to)
			require.Empty(t, toldBy(s.Differences(to), byLists))
		}
	}
}
