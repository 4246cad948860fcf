#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""request-order.py TRACE: join a guest's requests with the backend's by the names that the kernels gave them.

Reads the records as they are in the file and knows nothing of xblkparse's join. The guest's order on each ring
(o) and the order in which dom0 took requests off it (b) come from two kernels that know nothing of each other: the
k-th of one must be the k-th of the other, to the same place, with the same operation. Prints one fact a line.
"""
import collections
import json
import struct
import sys

Record = collections.namedtuple('Record', 'time sector nr_sectors id aux disk event op domid cpu n')
QUEUE, REQUEUE, ISSUE, COMPLETE, RESPONSE, RING, PROCESS, LOST, ORDER, BACKEND_BIO = 1, 6, 7, 9, 13, 14, 15, 16, 19, 20


def read(path):
    records, meta, n = [], {}, 0
    with open(path, 'rb') as f:
        data = f.read()
    at = struct.unpack_from('<I', data, 12)[0]
    while at + 64 <= len(data):
        _, kind, domid, cpu, _, size = struct.unpack_from('<IHHIII', data, at)
        if kind == 1:
            meta = json.loads(data[at + 64:at + 64 + size].rstrip(b'\0'))
        if kind == 2:
            for fields in struct.iter_unpack('<QQIIIHBB', data[at + 64:at + 64 + size]):
                records.append(Record(*fields, domid, cpu, n))
                n += 1
        at += 64 + (size + 31) // 32 * 32
    return meta, sorted(records, key=lambda r: (r.time, r.n))


def guest_requests(records, facts):
    """By ring: [(ordinal, disk, op, sector, nr_sectors, time on the ring, [time of C])]."""
    issued, on_ring, rings, order, last = {}, {}, collections.defaultdict(list), [], {}
    for r in records:
        if r.event == ISSUE:
            issued[r.id] = r
            order.append(r.id)
        elif r.event == REQUEUE and r.id in order:
            order.remove(r.id)
        elif r.event == ORDER:
            d = issued.get(r.id)
            if d is None or d.disk != r.disk:
                facts['o without its D'] += 1
                continue
            key = (r.disk, r.nr_sectors)
            if key in last and (last[key] + 1) % 2**32 != r.aux:
                facts['ordinals left out'] += (r.aux - last[key] - 1) % 2**32
            last[key] = r.aux
            facts['overtaken since D'] += order[0] != r.id if order else 0
            if r.id in order:
                order.remove(r.id)
            request = [r.aux, r.disk, d.op & 7, d.sector, d.nr_sectors, r.time, None]
            rings[key].append(request)
            on_ring[r.id] = request
        elif r.event == COMPLETE and r.id in on_ring:
            on_ring.pop(r.id)[6] = r.time
    return rings


def backend_requests(records, facts):
    """By ring: [(disk, op, sector, nr_sectors, time taken, [time of r])]."""
    names, ring_of, by_id, bios, rings, taken = {}, {}, {}, {}, collections.defaultdict(list), {}
    for r in records:
        if r.event == PROCESS:
            names[r.aux] = struct.pack('<QII', r.sector, r.nr_sectors, r.id).split(b'\0')[0].decode()
        elif r.event == RING:
            ring_of[r.aux] = by_id[r.id] = names.get(r.aux)
        elif r.event == QUEUE and r.aux in ring_of:
            bios[r.id] = r
        elif r.event == BACKEND_BIO:
            q = bios.pop(r.id, None)
            if q is None or q.disk != r.disk:
                facts['b without its Q'] += 1
                continue
            if r.aux in taken:
                taken[r.aux][3] += q.nr_sectors
            else:
                taken[r.aux] = [q.op & 7, q.disk, q.sector, q.nr_sectors, q.time, None]
                rings[ring_of[q.aux]].append(taken[r.aux])
        elif r.event == RESPONSE and r.op in (0, 1) and by_id.get(r.aux) in rings: # others are of disks that are not traced
            request = taken.pop(r.nr_sectors, None)
            if r.nr_sectors == 0:
                facts['r that names no request'] += 1
            elif request is None:
                facts['r without its b'] += 1
            else:
                request[5] = r.time
    return rings


def main():
    meta, records = read(sys.argv[1])
    backend = meta['backend']['domid']
    facts = collections.Counter({k: 0 for k in (
        'lost', 'o without its D', 'b without its Q', 'r without its b', 'ordinals left out', 'overtaken since D',
        'r that names no request', 'same place in flight', 'another place', 'out of order in time')})
    facts['lost'] = sum(r.event == LOST for r in records)
    slack = meta['backend']['clock_uncertainty_ns'] + sum(g.get('clock_uncertainty_ns', 0) for g in meta['guests'])
    guest = guest_requests([r for r in records if r.domid != backend], facts)
    theirs = backend_requests([r for r in records if r.domid == backend], facts)
    names = {(d['index'], n): f"{g['domid']}.{d['name']}-{n}"[:15] for g in meta['guests'] for d in g['disks'] for n in range(64)}
    for ring, requests in sorted(guest.items()):
        taken = theirs.get(names[ring], [])
        print(f'requests on ring {names[ring]}: {len(requests)} {len(taken)}')
        flying = []
        for ours, backs in zip(requests, taken):
            facts['another place'] += (ours[2], ours[3], ours[4]) != (backs[0], backs[2], backs[3])
            times = (ours[5], backs[4], backs[5], ours[6])
            # Which request a response was to is not known where the thread was interrupted in between.
            if times[2] is None and facts['r that names no request']:
                continue
            if None in times or not (times[0] - slack <= times[1] <= times[2] <= times[3] + slack):
                facts['out of order in time'] += 1
            flying = [f for f in flying if f[1] is None or f[1] > ours[5]]
            facts['same place in flight'] += any(f[0] == ours[3] for f in flying)
            flying.append((ours[3], ours[6]))
    for fact, n in facts.items():
        print(f'{fact}: {n}')


main()
