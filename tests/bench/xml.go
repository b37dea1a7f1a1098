package main

// xml sends events at a steady rate to clients that speak the ampd dialect in XML, and to
// as many that speak it in AMI's own format.
func (b *bench) xml() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	return b.surcharge(&surcharge{
		name: "xml", title: "XML: the same clients of the ampd dialect in XML and in AMI's format",
		way: "in XML", plain: "native",
		loads: []load{{1, []float64{1000, flatOut}}, {100, []float64{200, 1000}}, {500, []float64{1000}}},
		start: func(clients int) (*duel, error) { return b.newXMLDuel(r, clients) },
	})
}

func (w *workshop) newXMLDuel(r *recording, clients int) (*duel, error) {
	inXML, native := newLanes(r, classic(mixed(), true)), newLanes(r, classic(mixed(), false))
	return w.newAmpds(r, way{lanes: inXML}, way{lanes: native}, clients)
}
