/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that two processors share, ordered as weakly as include/xenrelay/ordering.h
 * allows.  A store waits before it reaches memory, and stores to different locations
 * get there in any order.  A load may have been made early: it returns what the
 * location holds, or what it held at the processor's last barrier.
 *
 * Each location is stored to by one side, the first READERS of them by the reader,
 * and loaded by the other.  -DWITHOUT=rule takes a rule out: then the check must fail.
 */
#ifndef WITHOUT
#define WITHOUT 0
#endif
#define holds(rule) (WITHOUT != (rule))

/* Rules: the ordering of an access, and others from 1 on. */
#define RELEASE(l) (100 + (l))
#define ACQUIRE(l) (200 + (l))

#define READER	 0
#define PRODUCER 1
#define side(l)	 ((l) >= READERS) /* that stores to it */

byte memory[LOCATIONS];
byte stored[LOCATIONS]; /* on its way to memory, if it ... */
bool waits[LOCATIONS];
byte waiting[2]; /* stores of each side that wait */
byte early[LOCATIONS]; /* what a load may still return */
hidden byte each;

inline store_once(l, v)
{
	d_step {
		waiting[side(l)] = waiting[side(l)] + (1 - waits[l]);
		stored[l] = v;
		waits[l] = 1
	}
}

inline wmb(me)
{
	waiting[me] == 0
}

inline store_release(l, v)
{
	if
	:: holds(RELEASE(l)) -> wmb(side(l))
	:: else
	fi;
	store_once(l, v)
}

inline rmb(me)
{
	d_step {
		for (each : 0 .. LOCATIONS - 1) {
			early[each] = (side(each) == me -> early[each] : memory[each])
		}
		each = 0
	}
}

inline mb(me)
{
	wmb(me);
	rmb(me)
}

inline load_once(l, v)
{
	atomic {
		if
		:: v = early[l]
		:: early[l] != memory[l] -> v = memory[l]; early[l] = v
		fi
	}
}

inline load_acquire(l, v)
{
	atomic {
		if
		:: early[l] != memory[l] -> v = early[l]
		:: v = memory[l];
		   if
		   :: holds(ACQUIRE(l)) -> rmb(1 - side(l))
		   :: else -> early[l] = v
		   fi
		fi
	}
}

/* Each location's next store reaches memory at any time. */
active[LOCATIONS] proctype store_buffer()
{
end:	do
	:: d_step {
		waits[_pid] ->
			memory[_pid] = stored[_pid];
			stored[_pid] = 0;
			waits[_pid] = 0;
			waiting[side(_pid)]--
	   }
	od
}
