// relay is what ampd is measured against: about as little as can be done to get
// bytes to many clients. One thread, epoll, a ring of bytes for each lane, one send
// for each client and round, and nothing that looks at what it carries.
//
//	relay LANES RINGSIZE PONGFILE LISTFILE
//
// prints the port it listens on. The first connection is its upstream and brings
// frames: u32 length of the event, u16 number of lanes, u16 each lane, the event. The
// others are clients: the first packet, "Lane: N", and a Ping are answered with the
// bytes of PONGFILE, anything else with those of LISTFILE. A packet of a client's must
// come in one piece.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAXFD = 1 << 16, BATCH = 512, UNKNOWN = -1, UPSTREAM = -2, LISTENER = -3 };

struct member { uint64_t sent; int fd, waits; }; // waits for EPOLLOUT
struct lane { char *ring; uint64_t head; struct member *members; int n, room, news; };
struct conn { int lane, at; const char *out; size_t left; }; // at: among the lane's members
struct text { char *bytes; size_t size; };

static struct lane *lanes;
static struct conn conns[MAXFD];
static struct text pong, list;
static uint64_t size; // of a ring, a power of two
static int nlanes, poller, upstream = -1, paused;

static void check(int ok, const char *what) { if (!ok) { perror(what); exit(1); } }

static void watch(int op, int fd, uint32_t events) {
	struct epoll_event e = {.events = events, .data.fd = fd};
	check(epoll_ctl(poller, op, fd, &e) == 0, "epoll_ctl");
}

// ring maps the same memory twice in a row, so that nothing in it ever has a gap.
static char *ring(void) {
	int fd = memfd_create("lane", 0);
	check(fd >= 0 && ftruncate(fd, size) == 0, "memfd");
	char *p = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 2; i++)
		check(mmap(p + i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED, "mmap");
	close(fd);
	return p;
}

static struct text slurp(const char *path) {
	struct text t = {malloc(1 << 20), 0};
	FILE *f = fopen(path, "r");
	check(f != NULL, path);
	t.size = fread(t.bytes, 1, 1 << 20, f);
	fclose(f);
	return t;
}

static void leave(int fd) {
	struct conn *c = &conns[fd];
	if (c->lane >= 0) { // the last member takes its place
		struct lane *l = &lanes[c->lane];
		l->members[c->at] = l->members[--l->n];
		conns[l->members[c->at].fd].at = c->at;
	}
	close(fd);
}

static void give(struct lane *l, struct member *m) {
	uint64_t lag = l->head - m->sent;
	ssize_t n = send(m->fd, l->ring + (m->sent & (size - 1)), lag, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) n = lag; // gone: epoll says so soon
	if (n > 0) m->sent += n;
	if (m->sent != l->head) {
		m->waits = 1;
		watch(EPOLL_CTL_MOD, m->fd, EPOLLIN | EPOLLOUT);
	}
}

// spread gives a lane's members what they lack, and tells how much the slowest lacks
// then.
static uint64_t spread(struct lane *l) {
	uint64_t most = 0;
	for (struct member *m = l->members; m < l->members + l->n; m++) {
		if (m->sent == l->head) continue;
		if (!m->waits) give(l, m);
		if (l->head - m->sent > most) most = l->head - m->sent;
	}
	l->news = 0;
	return most;
}

// pump reads from upstream once and spreads it, unless a ring is half full.
static void pump(void) {
	static char buffer[1 << 20];
	static size_t held;
	uint64_t most = 0;
	if (!paused) {
		ssize_t n = recv(upstream, buffer + held, size / 4 - held, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) exit(0);
		char *p = buffer, *end = buffer + held + (n > 0 ? n : 0);
		for (uint32_t length; end - p >= 6; p += length) {
			uint16_t count, lane;
			memcpy(&length, p, 4), memcpy(&count, p + 4, 2);
			if ((size_t)(end - p) < 6 + 2 * count + length) break;
			char *event = p + 6 + 2 * count;
			for (p += 6; p < event; p += 2) {
				memcpy(&lane, p, 2);
				struct lane *l = &lanes[lane];
				memcpy(l->ring + (l->head & (size - 1)), event, length);
				l->head += length, l->news = 1;
			}
		}
		memmove(buffer, p, held = end - p);
	}
	for (struct lane *l = lanes; l < lanes + nlanes; l++) {
		uint64_t lack = l->news || paused ? spread(l) : 0;
		if (lack > most) most = lack;
	}
	if (paused != (most > size / 2)) {
		paused = !paused;
		watch(EPOLL_CTL_MOD, upstream, paused ? 0 : EPOLLIN);
	}
}

static void answer(int fd) {
	struct conn *c = &conns[fd];
	ssize_t n = send(fd, c->out, c->left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) c->out += n, c->left -= n;
	if (c->left > 0) watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void enter(int fd, int number) {
	struct lane *l = &lanes[number];
	if (l->n == l->room) {
		l->room = 2 * l->room + 16;
		check((l->members = realloc(l->members, l->room * sizeof *l->members)) != NULL, "realloc");
	}
	conns[fd].lane = number, conns[fd].at = l->n++;
	l->members[conns[fd].at] = (struct member){l->head, fd, 0};
}

static void request(int fd) {
	char packet[1024];
	struct conn *c = &conns[fd];
	ssize_t n = recv(fd, packet, sizeof packet - 1, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN)) { leave(fd); return; }
	if (n < 4 || memcmp(packet + n - 4, "\r\n\r\n", 4) != 0) return;
	struct text *t = c->lane == UNKNOWN || memmem(packet, n, "Ping", 4) ? &pong : &list;
	packet[n] = 0;
	if (c->lane == UNKNOWN) enter(fd, atoi(packet + 6) % nlanes); // behind "Lane: "
	c->out = t->bytes, c->left = t->size;
	answer(fd);
}

static void greet(int listener) {
	int one = 1;
	for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
		check(fd < MAXFD, "too many clients");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		conns[fd] = (struct conn){.lane = UNKNOWN};
		if (upstream < 0) conns[upstream = fd].lane = UPSTREAM;
		watch(EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

static void writable(int fd) {
	struct conn *c = &conns[fd];
	watch(EPOLL_CTL_MOD, fd, EPOLLIN);
	if (c->left > 0) { answer(fd); return; }
	struct lane *l = &lanes[c->lane];
	l->members[c->at].waits = 0;
	give(l, &l->members[c->at]);
}

int main(int argc, char **argv) {
	if (argc != 5) return 2;
	nlanes = atoi(argv[1]), size = strtoull(argv[2], NULL, 10), pong = slurp(argv[3]), list = slurp(argv[4]);
	lanes = calloc(nlanes, sizeof *lanes);
	for (int i = 0; i < nlanes; i++) lanes[i].ring = ring();
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof addr;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check(bind(listener, (void *)&addr, length) == 0 && listen(listener, 4096) == 0, "listen");
	getsockname(listener, (void *)&addr, &length);
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	check((poller = epoll_create1(0)) >= 0, "epoll");
	conns[listener].lane = LISTENER;
	watch(EPOLL_CTL_ADD, listener, EPOLLIN);
	for (struct epoll_event events[BATCH];;) {
		int n = epoll_wait(poller, events, BATCH, -1), feed = 0;
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (conns[fd].lane == LISTENER) greet(fd);
			else if (conns[fd].lane == UPSTREAM) feed = 1;
			else if (events[i].events & EPOLLOUT) writable(fd);
			else request(fd);
		}
		if (feed || paused) pump();
	}
}
