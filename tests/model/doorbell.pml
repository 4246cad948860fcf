/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doorbell: kmod-xenrelay/doorbell.[ch] and a reader that goes to sleep.  It may not
 * sleep on while the mark is reached, and gets one event at the most for each number.
 */
#define ITEMS 4
#define MARK  2

#define ARMED	  0
#define TAIL	  1
#define READERS	  2 /* locations that the reader stores to */
#define HEAD	  2
#define LOCATIONS 3

/* Rules that can be taken out. */
#define MB_PRODUCER 1 /* between its head and its look at armed */
#define MB_READER   2 /* between its armed and its look at head */
#define NEW_NUMBER  3 /* each time that the reader arms */
#define LOOK_AGAIN  4 /* at head, once armed */
#define ONCE	    5 /* an event for a number */

#include "weak.pml"

bool work; /* queued */
byte rung, numbers, events;
bool event, done;

active proctype producer()
{
	byte head, tail, armed;

	do
	:: head < ITEMS ->
		head++;
		store_release(HEAD, head);
		/* xenrelay_doorbell_check */
		if
		:: holds(MB_PRODUCER) -> mb(PRODUCER)
		:: else
		fi;
		load_once(ARMED, armed);
		load_once(TAIL, tail);
		if
		:: armed != rung && head - tail >= MARK -> work = 1
		:: else
		fi
	:: else -> break
	od;
	done = 1
}

active proctype ring_it()
{
	byte armed;

end:	do
	:: d_step { work -> work = 0 };
	   mb(PRODUCER); /* irq_work_queue() to the work, and xchg() */
	   load_once(ARMED, armed);
	   if
	   :: d_step { rung != armed || !holds(ONCE) -> rung = armed };
	      events++;
	      assert(events <= numbers);
	      event = 1
	   :: else
	   fi
	od
}

active proctype reader()
{
	byte head, tail;

	do
	:: numbers = numbers + (holds(NEW_NUMBER) || !numbers);
	   store_once(ARMED, numbers);
	   if
	   :: holds(MB_READER) -> mb(READER)
	   :: else
	   fi;
	   if
	   :: holds(LOOK_AGAIN) -> load_acquire(HEAD, head)
	   :: else
	   fi;
	   if
	   :: head - tail < MARK ->
		/* Sleep.  Nobody wakes it: fine if there is nothing to read. */
		if
		:: event -> event = 0
		:: done && memory[HEAD] - tail < MARK && memory[HEAD] == ITEMS -> break
		fi;
		load_acquire(HEAD, head)
	   :: else
	   fi;
	   tail = head;
	   store_release(TAIL, tail)
	od
}
