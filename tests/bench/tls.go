package main

// tls sends events at a steady rate to clients over TLS, and to as many without.
func (b *bench) tls() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, mixed())
	return b.surcharge(&surcharge{
		name: "tls", title: "TLS: the same clients over TLS and without",
		way: "over TLS", plain: "plain",
		loads: []load{{100, []float64{200, 1000}}},
		start: func(clients int) (*duel, error) {
			return b.newAmpds(r, way{lanes, settings{tls: true}}, way{lanes, settings{}}, clients)
		},
	})
}
