// Package config reads ampd's TOML files and names every mistake in them, not
// only the first, with file, line, key and one sentence.
//
// A package that can be configured declares a struct and leaves the reading to
// [Read]:
//
//	type Config struct {
//		Address string          `toml:"address" required:"true"`
//		Ping    config.Duration `toml:"ping_interval" min:"1s" max:"1h"`
//		Mode    string          `toml:"mode" oneof:"tcp tls"`
//		Backlog config.Size     `toml:"backlog" min:"64KiB" max:"1GiB"`
//		Secret  config.Secret   `toml:"secret"`
//	}
//
// Fields without a toml tag are left alone, fields of an embedded struct count as
// the outer one's. A default is what the field holds before: set by the caller,
// or by a method Defaults of the struct, which also serves the elements of an
// array of tables. What one field's tags cannot say a method Check does.
//
// TOML itself is read by github.com/BurntSushi/toml. It tells no lines of keys
// once it has read them and stops at the first field that does not fit, so the
// tree it returns is put into the struct here, and a scanner of a page finds the
// lines.
//
// Nothing here keeps state or starts a goroutine.
package config
