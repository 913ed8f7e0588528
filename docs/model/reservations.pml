/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reservations and actuation: two guests, two reservations, a start that bypasses the daemon, a
 * reboot, the daemon's crash and restart. One process whose branches are the steps of all that takes
 * part, so that every interleaving is tried. Amounts are small numbers.
 *
 * Held after every step: promise 1, or what was missing after the bypassing start never grows.
 * Held at every build: promise 9, the memory of an answered reservation, and of a guest that
 * reboots, is there (the bypassing start apart, which takes it outside of anybody's rule; and a
 * reboot while the daemon is dead, which is such a start to it).
 *
 * -DGROW_UNVERIFIED   raises count on memory that is only on its way back
 * -DNO_IMPLICIT       a guest that reboots leaves no reservation behind
 * -DRELEASE_EARLY     what a released reservation kept is free before it is off the disk
 */
#define TOTAL  6
#define LEAST  1 /* of a guest */
#define MOST   3 /* of a guest */
#define GUESTS 2 /* domains 0 and 1 */
#define DOMS   5 /* 2 and 3 are built on reservations 0 and 1; 4 bypasses */

#ifdef RELEASE_EARLY
#define HELD(r) (granted[r] || on_disk[r] && !released[r])
#else
#define HELD(r) (granted[r] || on_disk[r])
#endif
#define HEADROOM(d) (cap[d] > tot[d] -> cap[d] - tot[d] : 0)

byte free_pages;
byte tot[DOMS], cap[DOMS], target[DOMS];
bool lives[DOMS]; /* has a domain */
bool runs[DOMS];  /* and it was built */

/* What the daemon knows, and what is on its disk. A reservation stands until its domain runs. */
bool alive = true;
bool granted[2], on_disk[2], answered[2], used[2];
bool released[2]; /* and not off the disk yet: after a crash nobody knows */
byte size[2];
byte was;       /* what domain 0 is built with again, and what its death reserves */
bool blind;     /* the daemon was dead meanwhile: nothing is promised to it then */
bool bypassed, rebooted, crashed;

/* A pass: what the daemon saw, and has not spent. */
bool in_pass;
int budget;
byte debt; /* missing after the bypassing start */

#define in_flight (budget > 0 -> budget : 0)

int left;

inline look_at_host()
{
    left = free_pages - HEADROOM(0) - HEADROOM(1) - HEADROOM(4);
    /* A reservation and the domain that is built on it are the same memory: the larger counts. */
    left = left - (HELD(0) ->
                   (size[0] > tot[2] -> size[0] - tot[2] : 0) : HEADROOM(2));
    left = left - (HELD(1) ->
                   (size[1] > tot[3] -> size[1] - tot[3] : 0) : HEADROOM(3));
#ifndef NO_IMPLICIT
    /* It counts from the death on: the pass that spends memory has seen the death first. */
    left = left - (lives[0] || blind -> 0 : was);
#endif
}

inline check()
{
    look_at_host();
    assert(left + debt >= 0); /* promise 1 */
    if /* what a pass still carries out was seen before the start */
    :: !in_pass && left >= 0 -> debt = 0
    :: !in_pass && left < 0 -> debt = 0 - left
    :: else
    fi;
    left = 0
}

active proctype world()
{
    byte d, r;

    atomic {
        free_pages = TOTAL - 4;
        tot[0] = 2; cap[0] = 2; target[0] = 2; lives[0] = true; runs[0] = true;
        tot[1] = 2; cap[1] = 2; target[1] = 2; lives[1] = true; runs[1] = true;
        size[0] = 2; size[1] = 1
    }
    do
    /* --- guests: anything within their caps ------------------------------------------------- */
    :: atomic {
        if :: d = 0 :: d = 1 fi;
        if
        :: lives[d] && tot[d] < cap[d] && free_pages > 0 -> tot[d]++; free_pages--
        :: lives[d] && tot[d] > target[d] -> tot[d]--; free_pages++
        :: else
        fi; check() }
    /* --- the daemon: look, then one write at a time ------------------------------------------ */
    :: atomic { alive && !in_pass ->
        look_at_host(); budget = left; left = 0;
#ifdef GROW_UNVERIFIED
        budget = budget + (tot[0] > target[0] -> tot[0] - target[0] : 0);
        budget = budget + (tot[1] > target[1] -> tot[1] - target[1] : 0);
#endif
        in_pass = true; check() }
    :: atomic { alive && in_pass -> /* lower one guest: cap and target */
        if :: d = 0 :: d = 1 fi;
        if
        :: lives[d] && runs[d] && target[d] > LEAST -> target[d]--; cap[d] = target[d]
        :: else
        fi; check() }
    :: atomic { alive && in_pass && budget > 0 -> /* raise one guest */
        if :: d = 0 :: d = 1 fi;
        if
        :: lives[d] && runs[d] && cap[d] < MOST && cap[d] >= tot[d] ->
            cap[d]++; target[d] = cap[d]; budget--
        :: else
        fi; check() }
    :: atomic { alive && in_pass -> /* grant: what was seen is set aside at once */
        if :: r = 0 :: r = 1 fi;
        if
        :: !granted[r] && !released[r] && !used[r] && budget >= size[r] && !lives[2 + r] ->
            granted[r] = true; budget = budget - size[r]
        :: else
        fi; check() }
    :: atomic { alive ->
        if :: r = 0 :: r = 1 fi;
        if
        :: granted[r] && !on_disk[r] -> on_disk[r] = true
        :: granted[r] && on_disk[r] -> answered[r] = true
        :: else
        fi; check() }
    :: atomic { alive -> /* a release, and what it leaves on the disk */
        if :: r = 0 :: r = 1 fi;
        if
        :: answered[r] && !lives[2 + r] && !used[r] ->
            released[r] = true; granted[r] = false; answered[r] = false
        :: released[r] -> released[r] = false; on_disk[r] = false
        :: else
        fi; check() }
    :: atomic { alive && in_pass -> in_pass = false; budget = 0; check() }
    /* --- crash and restart ------------------------------------------------------------------- */
    :: atomic { alive && !crashed -> crashed = true; alive = false; in_pass = false; budget = 0;
        granted[0] = false; granted[1] = false; released[0] = false; released[1] = false;
        blind = blind || !lives[0]; check() }
    :: atomic { !alive -> alive = true; granted[0] = on_disk[0]; granted[1] = on_disk[1]; check() }
    /* --- builds on reservations --------------------------------------------------------------- */
    :: atomic { if :: r = 0 :: r = 1 fi;
        if
        :: answered[r] && !lives[2 + r] && !used[r] ->
            assert(on_disk[r]);                         /* promise 9: never lost */
            assert(bypassed || blind || free_pages >= size[r]); /* and it is there */
            lives[2 + r] = true; cap[2 + r] = size[r]
        :: lives[2 + r] && !runs[2 + r] && tot[2 + r] < size[r] && free_pages > 0 ->
            tot[2 + r]++; free_pages--
        :: lives[2 + r] && !runs[2 + r] && tot[2 + r] == size[r] -> runs[2 + r] = true
        :: lives[2 + r] && !runs[2 + r] -> /* it dies half-built: the holder may try again */
            free_pages = free_pages + tot[2 + r]; tot[2 + r] = 0; cap[2 + r] = 0;
            lives[2 + r] = false
        :: alive && runs[2 + r] && !used[r] -> /* it runs: the reservation is used up */
            used[r] = true; granted[r] = false; on_disk[r] = false
        :: else
        fi; check() }
    /* --- a reboot: destroyed, and built again with what it was sent to -------------------------- */
    :: atomic { lives[0] && runs[0] && !rebooted -> rebooted = true;
        blind = !alive;
        free_pages = free_pages + tot[0]; tot[0] = 0; cap[0] = 0; was = target[0];
        lives[0] = false; runs[0] = false; check() }
    :: atomic { rebooted && !lives[0] ->
        assert(bypassed || blind || free_pages >= was); /* promise 9 */
        if
        :: free_pages >= was ->
            free_pages = free_pages - was; tot[0] = was; cap[0] = was; target[0] = was;
            lives[0] = true; runs[0] = true
        :: else
        fi;
        look_at_host();
        if /* nothing was kept for it: it takes what others were promised */
        :: blind && 0 - left + in_flight > debt -> debt = 0 - left + in_flight
        :: else
        fi;
        left = 0; check() }
    /* --- a start that bypasses the daemon ------------------------------------------------------ */
    :: atomic { !bypassed && free_pages >= 2 -> bypassed = true; lives[4] = true; runs[4] = true;
        free_pages = free_pages - 2; tot[4] = 2; cap[4] = 2;
        look_at_host();
        left = left - in_flight; /* what is being carried out was seen before */
        debt = (left < 0 -> 0 - left : 0); left = 0 }
    od
}
