/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One ring: ring/producer.h on one side, ring/consumer.c on the other, under the names
 * that they use, in discard mode or, with -DOVERWRITE, in the other.  Writers that
 * interrupt each other on one processor are tests/unit/test_relay_nested.c's.
 *
 * An item is one word: an item of several is torn if any of them is wrong.  Attempts
 * to write are numbered, and an item holds its number.  So a loss of n is exact if the
 * item behind it has a number n higher than the item before it.
 */
#define CAPACITY 3
#define ATTEMPTS 8

#define TAIL	    0
#define READERS	    1 /* locations that the reader stores to */
#define HEAD	    1
#define SPANS	    2
#define STOPPED	    3
#define POSITION(k) (4 + (k) % 2)
#define COUNT(k)    (6 + (k) % 2)
#define ITEM(n)	    (8 + (n) % CAPACITY)
#define LOCATIONS   (8 + CAPACITY)

/* Rules that can be taken out. */
#define RESUME	   1 /* writing is resumed only when the reader has taken all */
#define FINAL	   2 /* a span is taken only when an item is behind it */
#define WMB	   3 /* before the producer stores an item */
#define RMB	   4 /* after the reader has copied items */
#define LOOK_AGAIN 5 /* at head, after that */
#define GIVE_UP	   6 /* the oldest item is not for the reader */

#include "weak.pml"

byte taken; /* spans that the reader is past */

active proctype producer()
{
	byte head, full_at, spans, count, attempt, tail;
	bool suspended;

#ifdef OVERWRITE
	full_at = 255;
#else
	full_at = CAPACITY;
#endif
	do
	:: attempt < ATTEMPTS ->
		attempt++;
		/* find_room */
		if
		:: head == full_at ->
			load_acquire(TAIL, tail);
			if
			:: suspended && holds(RESUME) && head != tail
			:: (!suspended || !holds(RESUME)) && head - tail >= CAPACITY
			:: else -> suspended = 0; full_at = tail + CAPACITY
			fi
		:: else
		fi;
		if
		:: head != full_at ->
			/* reserve, commit */
			if
			:: holds(WMB) -> wmb(PRODUCER)
			:: else
			fi;
			store_once(ITEM(head), attempt);
			head++;
			store_release(HEAD, head)
		:: else ->
			/* lose */
			if
			:: !suspended ->
				suspended = 1;
				spans++;
				count = 0;
				assert(spans <= taken + 2);
				store_once(POSITION(spans), head);
				store_once(COUNT(spans), 0);
				store_release(SPANS, spans)
			:: else
			fi;
			count++;
			store_once(COUNT(spans), count)
		fi
	:: else -> break
	od;
	store_release(STOPPED, 1)
}

#define oldest (head < CAPACITY - holds(GIVE_UP) -> 0 : head - (CAPACITY - holds(GIVE_UP)))

active proctype reader()
{
	byte head, tail, last, from, n, k, spans, position, count, stopped, buf[CAPACITY];
	byte known; /* items that are known to be there */

	do
	:: load_acquire(STOPPED, stopped);
#ifndef OVERWRITE
	   if
	   :: known -> n = known; count = 0; stopped = 0; goto take /* xr_ring_take */
	   :: true
	   fi;
#endif
	   load_acquire(HEAD, head);
	   from = tail;
#ifdef OVERWRITE
	   from = (from < oldest -> oldest : from);
#endif
	   n = head - from;
#ifndef OVERWRITE
	   /* meet_spans */
	   count = 0;
	   load_acquire(SPANS, spans);
	   do
	   :: spans != taken ->
		load_once(POSITION(taken + 1), position);
		assert(spans <= taken + 2 && position >= tail && position <= tail + CAPACITY);
		if
		:: position != tail -> n = (position - tail < n -> position - tail : n); break
		:: position == tail && !n && !stopped && holds(FINAL) -> break
		:: else ->
			assert(!count);
			load_once(COUNT(taken + 1), count);
			assert(count);
			taken++
		fi
	   :: else -> break
	   od;
	   known = n;
take:
	   from = tail;
#endif
	   do /* max_items */
	   :: n > 1 -> n--
	   :: break
	   od;
#ifndef OVERWRITE
	   known = known - n;
	   if
	   :: !holds(RELEASE(TAIL)) -> store_once(TAIL, tail + n) /* before the loads */
	   :: else
	   fi;
#endif
	   /* copy_items */
	   for (k : 0 .. CAPACITY - 1) {
		if
		:: k < n -> load_once(ITEM(from + k), buf[k])
		:: else
		fi
	   }
#ifdef OVERWRITE
	   if
	   :: holds(RMB) -> rmb(READER)
	   :: else
	   fi;
	   if
	   :: holds(LOOK_AGAIN) -> load_acquire(HEAD, head)
	   :: else
	   fi;
	   /* What is gone of them is lost.  */
	   k = (from < oldest -> oldest - from : 0);
	   k = (k < n -> k : n);
	   count = from + k - tail;
	   n = n - k;
#else
	   k = 0;
#endif
	   last = last + count;
	   tail = from + k + n;
	   do
	   :: n -> last++; assert(buf[k] == last); buf[k] = 0; k++; n--
	   :: else -> break
	   od;
	   store_release(TAIL, tail);
	   if
	   :: stopped && tail == head && !count && spans == taken -> break
	   :: else -> k = 0; from = 0; position = 0
	   fi
	od;
	assert(last == ATTEMPTS)
}
