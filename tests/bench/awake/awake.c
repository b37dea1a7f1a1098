// awake keeps the processors from going to sleep: on each runs a process that does
// nothing, at the lowest of all priorities (SCHED_IDLE), which makes way at once for
// anything else. Without it a processor sleeps between two events; on a virtual machine
// waking one up costs more than a delivery, charged to whoever is woken.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void stay(int cpu) {
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	struct sched_param none = {0};
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || sched_setaffinity(0, sizeof one, &one) != 0 ||
	    sched_setscheduler(0, SCHED_IDLE, &none) != 0) {
		perror("awake");
		_exit(1);
	}
	for (volatile unsigned n = 0;; n++) {}
}

int main(void) {
	cpu_set_t all;
	if (sched_getaffinity(0, sizeof all, &all) != 0) return 1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && fork() == 0) stay(cpu);
	while (wait(NULL) > 0) {}
	return 1;
}
