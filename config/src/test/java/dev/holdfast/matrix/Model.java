/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static dev.holdfast.matrix.Silent.*;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.matrix.Ending.Event;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the pages say of a case: how the call ends, when, and what its policies have counted. Written from README, docs/,
 * DESIGN and INTERPRETER, and not from the code: each layer is a function around the next one, all times are milliseconds
 * since the call began, and nothing here ever waits.
 */
final class Model {
    private final Cell cell;
    private final Ending.Spec spec;
    private final Set<Choice> yes;
    private final Set<Choice> asked = new LinkedHashSet<>();
    private State now;

    private Model(Cell cell, Set<Choice> yes) {
        this.cell = cell;
        this.spec = cell.spec();
        this.yes = yes;
        this.now = new State(cell);
    }

    /** An answer to what the pages leave open; where chance decides, each time anew. */
    record Choice(Silent question, int time) {}

    /** What may be seen of a case, under one set of answers to what the pages leave open. */
    record Prediction(Map<String, String> seen, Set<Choice> asked, Set<Choice> yes) {

        /** How the question was answered; null if it was not asked, or in both ways. */
        @Nullable
        Boolean answer(Silent question) {
            long all = asked.stream().filter(one -> one.question() == question).count();
            long agreed = asked.stream()
                    .filter(one -> one.question() == question && yes.contains(one))
                    .count();
            boolean open = all == 0 || (agreed > 0 && agreed < all);
            return open ? null : Boolean.valueOf(agreed > 0);
        }
    }

    /** All that the pages allow. */
    static List<Prediction> predictions(Cell cell) {
        List<Prediction> all = new ArrayList<>();
        List<Set<Choice>> open = new ArrayList<>(List.of(Set.of()));
        Set<Set<Choice>> seen = new HashSet<>(open);
        for (int i = 0; i < open.size(); i++) {
            Model model = new Model(cell, open.get(i));
            all.add(new Prediction(model.predict(), model.asked, open.get(i)));
            for (Choice choice : model.asked) {
                Set<Choice> other = new HashSet<>(open.get(i));
                other.add(choice);
                if (seen.add(other)) {
                    open.add(other);
                }
            }
        }
        return all;
    }

    private boolean open(Silent question) {
        return open(question, 0);
    }

    /** By chance, which answers each of these anew. */
    private boolean open(Silent question, Pass pass) {
        return open(question, now.runs * cell.levels().size() + pass.level);
    }

    private boolean open(Silent question, int time) {
        Choice choice = new Choice(question, time);
        asked.add(choice);
        return yes.contains(choice);
    }

    /** A limit: whose it is and when it strikes. Compared by identity: each entry of a layer sets its own. */
    private static final class Limit {
        static final Limit NONE = new Limit(Ending.NONE, -1, "", Ending.NONE);
        /** No limit, but as final as one. */
        static final Limit GIVEN_UP = new Limit(Ending.NONE, -1, "", Ending.NONE);

        final long at;
        final int level;
        final String policy;
        final long nanos;
        /** The model counts in milliseconds; parts of one matter where a part of the rest is kept. */
        final long micros;
        /** Of what this one is a little sooner; itself if it is not. */
        final Limit whole;

        Limit(long at, int level, String policy, long length) {
            this.at = at;
            this.level = level;
            this.policy = policy;
            this.nanos = length;
            this.micros = at == Ending.NONE ? at : at * 1_000;
            this.whole = this;
        }

        private Limit(Limit whole, long micros) {
            this.at = micros / 1_000;
            this.level = whole.level;
            this.policy = "call";
            this.nanos = Ending.NONE;
            this.micros = micros;
            this.whole = whole;
        }

        /** deadline.md: "an eighth of the inherited time, at most 25 ms". */
        Limit sooner(long t) {
            long left = micros - t * 1_000;
            return this == NONE || at == Ending.NONE || left <= 0
                    ? this
                    : new Limit(this, micros - Math.min(left / 8, 25_000));
        }

        /** deadline.md: a limit of the call's own or an inherited one is personal, a policy's is set for everybody. */
        boolean forEverybody() {
            return !policy.equals("call");
        }
    }

    /** What policies know, beyond one call. */
    private static final class State {
        int runs;
        final int[] counted;
        final int[] failed;
        final int[] used;
        String breaker = "half_open";
        boolean probing;
        long openUntil;
        long nextPlace = Layer.PACE;
        int givenBack;

        State(Cell cell) {
            int layers = cell.layers().size();
            counted = new int[layers];
            failed = new int[layers];
            used = new int[layers];
        }

        State(State other) {
            runs = other.runs;
            counted = other.counted.clone();
            failed = other.failed.clone();
            used = other.used.clone();
            breaker = other.breaker;
            probing = other.probing;
            openUntil = other.openUntil;
            nextPlace = other.nextPlace;
            givenBack = other.givenBack;
        }
    }

    /** One call of one pipeline, or an attempt beside it. */
    private static final class Pass {
        final int level;
        final int outerAttempt;
        final boolean hedge;
        /** When a rival has won. */
        final long cutAt;

        /** Whether it runs beside the first attempt, or inside one that does: on another thread than the caller's. */
        boolean beside;

        /** Whether it is this pipeline's rival; one of an outer pipeline only interrupts. */
        boolean racing;

        int attempts;
        final List<long[]> ran = new ArrayList<>();

        Pass(int level, int outerAttempt, boolean hedge, long cutAt) {
            this.level = level;
            this.outerAttempt = outerAttempt;
            this.hedge = hedge;
            this.cutAt = cutAt;
        }
    }

    /** How what is inside a layer ended. */
    private record End(
            Outcome outcome, String what, long at, Source source, boolean started, Limit struck, long ran, long hold) {

        static End of(Outcome outcome, String what, long at, boolean started) {
            return new End(outcome, what, at, Source.LIVE, started, Limit.NONE, 0, 0);
        }

        static End rejected(String what, long at) {
            return of(Outcome.REJECTED, what, at, false);
        }

        End struck(Limit limit) {
            return new End(outcome, what, at, source, started, limit, ran, hold);
        }

        End at(long when) {
            return new End(outcome, what, when, source, started, struck, ran, hold);
        }

        End started(boolean value) {
            return new End(outcome, what, at, source, value, struck, ran, hold);
        }

        End ran(long time) {
            return new End(outcome, what, at, source, started, struck, time, hold);
        }

        End hold(long until) {
            return new End(outcome, what, at, source, started, struck, ran, until);
        }

        End answered(String value, Source from) {
            return new End(Outcome.SUCCESS, value, at, from, started, struck, ran, hold);
        }

        boolean is(Outcome... any) {
            return List.of(any).contains(outcome);
        }

        /** README, retry.md: neither is ever retried or counted. */
        boolean machine() {
            return what.equals("StackOverflowError");
        }

        boolean wins() {
            return is(Outcome.SUCCESS, Outcome.IGNORED);
        }
    }

    // ---- the call

    private Map<String, String> predict() {
        List<Limit> limits = new ArrayList<>(List.of(Limit.NONE));
        limits.add(new Limit(spec.deadline(), 0, "call", Ending.NONE));
        limits.addAll(inherited(0, 0, List.of(new Limit(spec.inherited(), 0, "call", Ending.NONE))));
        if (spec.trouble() == Trouble.WARM) {
            warm();
        }
        unmodelledLeader();
        Pass pass = new Pass(0, 0, false, Ending.NONE);
        End end = call(pass, 0, limits);
        if (cell.ending().isBy(Event.CANCEL) && spec.eventAt() <= end.at()) {
            end = End.of(Outcome.CANCELLED, "CancellationException", spec.eventAt(), true);
        }
        Map<String, String> seen = new TreeMap<>();
        seen.put("end", end.what());
        if (end.at() >= 0) {
            seen.put("at", Long.toString(end.at()));
            seen.put("runs", Integer.toString(now.runs));
        }
        if (end.is(Outcome.SUCCESS, Outcome.PUSHBACK)) {
            seen.put("source", end.source().name());
            seen.put("attempts", Integer.toString(pass.attempts));
        }
        flag(seen, end);
        counts(seen);
        return seen;
    }

    /** INTERPRETER 4: the flag is set afterwards only if somebody outside interrupted. */
    private void flag(Map<String, String> seen, End end) {
        if (cell.level(0).way() == Way.CALL) {
            boolean interrupted = cell.ending().isBy(Event.INTERRUPT) && spec.eventAt() <= end.at();
            interrupted |= spec.script() == Script.INTERRUPTION;
            // INTERPRETER 4: the JVM has one bit, and work that swallows both interrupts loses one of them.
            boolean merged = interrupted
                    && spec.script() == Script.DEAF
                    && cell.layers().stream().anyMatch(Layer::limits);
            // Whether another thread's interruption is the caller's, no page says.
            merged |= spec.script() == Script.INTERRUPTION && cell.layers().contains(Layer.DEDICATED);
            // An asynchronous pipeline further in may have answered it, and no blocking call has heard of it.
            merged |= spec.script() == Script.INTERRUPTION && cell.any(Way.ASYNC) && !end.is(Outcome.INTERRUPTED);
            if (!merged) {
                seen.put("flag", Boolean.toString(interrupted));
            }
        }
    }

    private void counts(Map<String, String> seen) {
        if (spec.trouble().leads()) {
            // The leader's are in it.
            return;
        }
        for (int i = 0; i < now.counted.length; i++) {
            boolean met = i == cell.met();
            Layer layer = cell.layers().get(i);
            if (layer == Layer.BREAKER && !met) {
                seen.put("breaker" + i, now.failed[i] + " of " + now.counted[i] + " failed");
            } else if (layer == Layer.BREAKER && spec.trouble() == Trouble.HALF_OPEN) {
                seen.put("state" + i, now.breaker + (now.probing ? " probing" : ""));
            } else if (layer == Layer.THROTTLE && !met) {
                seen.put("throttle" + i, Integer.toString(now.used[i]));
            }
        }
    }

    /** An earlier call that went well. */
    private void warm() {
        for (int i = 0; i < now.counted.length; i++) {
            now.counted[i]++;
            now.used[i]++;
        }
    }

    /** Pipeline.close: a call that begins now is rejected. */
    private End call(Pass pass, long t, List<Limit> limits) {
        if (pass.level == 0 && cell.ending() == Ending.CLOSED_BEFORE) {
            return End.rejected("rejected: CLOSED", t);
        }
        return layer(pass, 0, t, limits);
    }

    private End layer(Pass pass, int index, long t, List<Limit> limits) {
        List<Layer> layers = cell.level(pass.level).layers();
        if (index == layers.size()) {
            return attempt(pass, t, limits);
        }
        int number = cell.first(pass.level) + index;
        return switch (layers.get(index)) {
            case DEADLINE, TIMEOUT -> limited(pass, index, number, t, limits);
            case FALLBACK -> fallback(layer(pass, index + 1, t, limits));
            case STAGE -> stage(pass, layer(pass, index + 1, t, limits), limits);
            case CACHE -> cache(pass, index, number, t, limits);
            case RETRY -> retry(pass, index, t, limits);
            case HEDGE -> hedge(pass, index, t, limits);
            case BREAKER -> breaker(pass, index, number, t, limits);
            case THROTTLE -> throttle(pass, index, number, t, limits);
            case BULKHEAD, ADAPTIVE, DEDICATED -> bulkhead(pass, index, number, t, limits);
        };
    }

    // ---- the attempt, and what comes from outside

    private End attempt(Pass pass, long t, List<Limit> limits) {
        Limit near = nearest(limits);
        if (near.at <= t) {
            // deadline.md: nothing is begun that cannot fit.
            return End.rejected("rejected: DEADLINE_EXCEEDED", t).struck(near);
        }
        pass.attempts++;
        boolean last = pass.level == cell.last();
        Script.Step step = last ? spec.script().step(++now.runs) : null;
        long[] ran = {t, 0};
        pass.ran.add(ran);
        End work = step != null
                ? End.of(step.outcome(), step.what(), t + step.takes(), true)
                : seenFromOutside(inner(pass, t, limits));
        End end = cut(pass, work, step, t, near);
        ran[1] = end.at();
        return end.ran(Math.min(end.at(), near.at) - t);
    }

    /** retry.md: a pipeline inside another one's second attempt does not retry, however deep; hedge.md says the same. */
    private End inner(Pass pass, long t, List<Limit> limits) {
        int attempt = pass.attempts > 1 ? pass.attempts : Math.max(1, pass.outerAttempt);
        Pass further = new Pass(pass.level + 1, attempt, false, pass.cutAt);
        further.beside = pass.beside;
        End end = call(further, t, inherited(further.level, t, limits));
        return limits.contains(end.struck()) ? end : end.struck(end.struck().whole);
    }

    /** deadline.md: "If the inner pipeline has a fallback or a stale cache, …". */
    private List<Limit> inherited(int level, long t, List<Limit> limits) {
        List<Layer> layers = cell.level(level).layers();
        if (Collections.disjoint(layers, List.of(Layer.FALLBACK, Layer.STAGE, Layer.CACHE))) {
            return limits;
        }
        List<Limit> sooner = new ArrayList<>(limits);
        sooner.add(nearest(limits).sooner(t));
        return sooner;
    }

    /** Classifier: an inner rejection is one here too; an inner timeout is an exception like any other, hence a failure. */
    private static End seenFromOutside(End inner) {
        Outcome outcome = inner.outcome();
        if (inner.is(Outcome.SUCCESS, Outcome.PUSHBACK)) {
            outcome = inner.what().startsWith("busy") ? Outcome.PUSHBACK : Outcome.SUCCESS;
        } else if (outcome == Outcome.TIMEOUT && inner.struck() == Limit.NONE) {
            outcome = Outcome.FAILURE;
        }
        return End.of(outcome, inner.what(), inner.at(), true).struck(inner.struck());
    }

    /** What ends the work first: itself, a limit, somebody outside, a rival. */
    private End cut(Pass pass, End work, Script.@Nullable Step step, long t, Limit near) {
        boolean held = holds(pass.level) && (step == null ? below(pass.level, Way.CALL) : step.deaf());
        long givenUpAt = givenUpAt(pass, t);
        if (!held && givenUpAt < Math.min(work.at(), near.at)) {
            return givenUp(pass, givenUpAt, true);
        }
        boolean inherited = near != Limit.NONE && work.struck() == near;
        if (inherited && work.at() < near.at && step == null) {
            // It had kept something back. What it has to say is in time; if it has nothing, this limit is the reason.
            return work.is(Outcome.TIMEOUT, Outcome.REJECTED) ? timeout(near, work.at()) : work.struck(Limit.NONE);
        }
        if (inherited && work.at() == near.at && work.outcome() != Outcome.TIMEOUT && step == null) {
            // The inner pipeline, which inherited the limit, has said something at once.
            return open(AN_INNER_ANSWER_BEATS_THE_OUTER_LIMIT, pass) ? work.struck(Limit.NONE) : timeout(near, near.at);
        }
        boolean byLimit = inherited || near.at < work.at();
        if (byLimit) {
            // timeout.md: one that ignores its interrupt holds its caller; the outcome is still the timeout.
            return timeout(near, held ? Math.max(near.at, work.at()) : near.at);
        }
        if (pass.racing && pass.cutAt <= work.at()) {
            // Held, or its last word came in the instant in which it had lost.
            return givenUp(pass, work.at(), true);
        }
        boolean leftByAnother = step == null && work.is(Outcome.INTERRUPTED, Outcome.CANCELLED);
        boolean waits = cell.level(pass.level).has(Layer.DEDICATED) || below(pass.level, Way.ASYNC);
        if (leftByAnother && waits && cell.level(pass.level).way() == Way.CALL) {
            return givenUp(pass, work.at(), true);
        }
        return work;
    }

    /** bulkhead.md: with dedicated threads the caller leaves when its time is over; an asynchronous call always does. */
    private boolean holds(int level) {
        return cell.level(level).way() == Way.CALL && !cell.level(level).has(Layer.DEDICATED);
    }

    private boolean below(int level, Way way) {
        return level < cell.last() && cell.level(level + 1).way() == way;
    }

    private static End timeout(Limit limit, long at) {
        return End.of(Outcome.TIMEOUT, "timeout of " + limit.policy + " of p" + limit.level, at, true)
                .struck(limit);
    }

    /** When what begins now is given up; an interrupt before that met nobody who was waiting. */
    private long givenUpAt(Pass pass, long from) {
        boolean byEvent = cell.ending().isBy(Event.CANCEL)
                || (cell.ending().isBy(Event.INTERRUPT)
                        && !pass.beside
                        && pass.level >= interruptedLevel()
                        && (interruptedLevel() == 0 || from <= spec.eventAt()));
        return Math.min(pass.cutAt, byEvent ? spec.eventAt() : Ending.NONE);
    }

    /** Whose thread is interrupted: that of the outermost blocking call. */
    private int interruptedLevel() {
        int level = 0;
        while (cell.level(level).way() != Way.CALL) {
            level++;
        }
        return level;
    }

    /** INTERPRETER 4: the whole call is given up; DESIGN 3: an interrupt while it waits is a rejection. */
    private End givenUp(Pass pass, long at, boolean running) {
        if (cell.level(pass.level).way() == Way.ASYNC) {
            return End.of(Outcome.CANCELLED, "CancellationException", at, running);
        }
        // bulkhead.md: it waits for its dedicated thread, too.
        boolean waits = !running
                || (cell.level(pass.level).has(Layer.DEDICATED) && cell.ending().isBy(Event.INTERRUPT));
        return End.of(Outcome.INTERRUPTED, waits ? "rejected: INTERRUPTED" : "InterruptedException", at, running);
    }

    private static Limit nearest(List<Limit> limits) {
        Limit nearest = Limit.NONE;
        for (Limit limit : limits) {
            nearest = limit.at < nearest.at ? limit : nearest;
        }
        return nearest;
    }

    /** A wait whose end is known and fits; null if it is sat through. */
    private @Nullable End wait(Pass pass, long from, long to, boolean started) {
        long givenUpAt = givenUpAt(pass, from);
        if (givenUpAt >= from && givenUpAt < to) {
            return givenUp(pass, givenUpAt, false).started(started);
        }
        boolean async = pass.level == 0 && cell.level(0).way() == Way.ASYNC;
        if (async && cell.ending().isBy(Event.REFUSE)) {
            // DESIGN 1: timers hand over to the executor; what it refuses is a rejection.
            // INTERPRETER 3: the call is given up.
            return End.of(Outcome.REJECTED, "rejected: EXECUTOR_FULL", to, started)
                    .struck(Limit.GIVEN_UP);
        }
        // close(): calls that wait go on.
        return null;
    }

    // ---- the layers

    /** metrics.md: the second of a kind has its number. */
    private String name(Pass pass, int index) {
        List<Layer> layers = cell.level(pass.level).layers();
        Layer own = layers.get(index);
        long before =
                layers.subList(0, index).stream().filter(other -> other == own).count();
        return before == 0 ? own.toString() : own + "-" + (before + 1);
    }

    /** INTERPRETER 2: when it strikes, layers inside its owner may not retry, layers outside may. */
    private End limited(Pass pass, int index, int number, long t, List<Limit> limits) {
        Limit mine = new Limit(t + cell.limit(number), pass.level, name(pass, index), cell.limit(number));
        List<Limit> inside = new ArrayList<>(limits);
        inside.add(mine);
        End end = layer(pass, index + 1, t, inside);
        return end.struck() == mine ? end.struck(Limit.NONE) : end;
    }

    /** fallback.md: another answer where there is none; not for IGNORED. */
    private boolean answers(End end) {
        if (end.machine()) {
            return false; // fallback.md
        }
        if (end.outcome() == Outcome.INTERRUPTED) {
            return open(A_FALLBACK_ANSWERS_AN_INTERRUPT);
        }
        return end.is(Outcome.FAILURE, Outcome.PUSHBACK, Outcome.REJECTED, Outcome.TIMEOUT);
    }

    private End fallback(End end) {
        return answers(end) ? end.answered("fb", Source.FALLBACK) : end;
    }

    /** fallback.md: not waited for when the call's time is over. */
    private End stage(Pass pass, End end, List<Limit> limits) {
        Limit near = nearest(limits);
        boolean interrupted = end.outcome() == Outcome.INTERRUPTED;
        boolean asked = interrupted ? open(A_STAGE_IS_ASKED_AFTER_AN_INTERRUPT) : answers(end);
        if (near.at <= end.at() || !asked) {
            return end;
        }
        long comes = end.at() + Layer.STAGE_TAKES;
        long givenUpAt = givenUpAt(pass, end.at());
        if (!interrupted && givenUpAt >= end.at() && givenUpAt < Math.min(comes, near.at)) {
            return givenUp(pass, givenUpAt, false).started(end.started());
        }
        boolean tie = near.at == comes;
        boolean cut = near.at < comes || (tie && !open(A_STAGE_IN_THE_INSTANT_OF_ITS_LIMIT_ANSWERS));
        if (cut) {
            return end.at(near.at).struck(near); // fallback.md: the error that it was asked for stays
        }
        return end.answered("fs", Source.FALLBACK).at(comes);
    }

    /** stale-cache.md: an old value for what failed, was pushed back, ran out of time or was turned away. */
    private End cache(Pass pass, int index, int number, long t, List<Limit> limits) {
        if (spec.notTwice()) {
            return layer(pass, index + 1, t, limits);
        }
        if (pass.hedge) {
            // The warning hedge-outside-stale-cache: it would join the load that it is to overtake, and is turned away.
            return End.rejected("", t);
        }
        long begins = t;
        if (number == cell.met() && spec.trouble().leads()) {
            begins = spec.trouble() == Trouble.LEADER_GIVES_UP ? Trouble.LEADER_GIVES_UP_AT : Trouble.LEADS_UNTIL;
            End end = t < begins ? follow(pass, t, begins, limits) : null;
            if (end != null) {
                return end;
            }
        }
        End end = layer(pass, index + 1, Math.max(t, begins), limits);
        boolean old = spec.trouble() == Trouble.WARM
                && !end.machine()
                && end.is(Outcome.FAILURE, Outcome.PUSHBACK, Outcome.TIMEOUT, Outcome.REJECTED);
        return old ? end.answered("old", Source.STALE_ON_ERROR) : end;
    }

    /** "Calls of one key at one time share one call. Each waits until its own deadline"; null if it takes the lead. */
    private @Nullable End follow(Pass pass, long t, long until, List<Limit> limits) {
        Limit near = nearest(limits);
        if (near.at < until) {
            return End.rejected("rejected: DEADLINE_EXCEEDED", near.at).struck(near);
        }
        End givenUp = wait(pass, t, until, false);
        // stale-cache.md: whom the executor refuses gets what has come meanwhile.
        boolean isRefused = givenUp != null && givenUp.outcome() == Outcome.REJECTED;
        if (spec.trouble() == Trouble.LEADER && (givenUp == null || isRefused)) {
            return End.of(Outcome.SUCCESS, "lead", until, false);
        }
        if (givenUp != null || spec.trouble() == Trouble.LEADER_GIVES_UP) {
            return givenUp;
        }
        End failed = End.of(Outcome.FAILURE, "IOException", until, false);
        List<Layer> further = cell.layers().subList(cell.met(), cell.layers().size());
        // Source: FALLBACK is where it came from, whoever asked for it.
        return further.contains(Layer.FALLBACK) ? failed.answered("fb", Source.FALLBACK) : failed;
    }

    /** Two calls that go through all layers one after the other are more than a function around the next one can tell. */
    private void unmodelledLeader() {
        List<Layer> layers = cell.layers();
        boolean again = cell.last() > 0 || layers.contains(Layer.RETRY) || layers.contains(Layer.HEDGE);
        boolean answered = layers.contains(Layer.STAGE)
                || (layers.contains(Layer.FALLBACK) && !layers.equals(List.of(Layer.CACHE, Layer.FALLBACK)));
        boolean fails = spec.trouble() == Trouble.LEADER_FAILS && (again || answered);
        boolean givesUp = spec.trouble() == Trouble.LEADER_GIVES_UP
                && layers.subList(cell.met(), layers.size()).stream()
                        .anyMatch(layer -> layer == Layer.FALLBACK || layer == Layer.STAGE);
        if (fails || givesUp || spec.trouble() == Trouble.LEADER_HANGS) {
            throw new Unmodelled("the leader's end");
        }
    }

    /** retry.md. */
    private End retry(Pass pass, int index, long t, List<Limit> limits) {
        End before = null;
        long begins = t;
        for (long backoff = Layer.BACKOFF; ; backoff *= 2) {
            End end = layer(pass, index + 1, begins, limits);
            if (before != null && end.outcome() == Outcome.REJECTED && !end.started()) {
                // "If the breaker turns the second attempt away, it is the error of the first."
                return before.at(end.at());
            }
            // "If the breaker is known to stay open for longer, the retry waits for that."
            long next = end.at() + Math.max(backoff, end.hold() - end.at());
            if (!again(pass, end) || next >= nearest(limits).at) {
                return end;
            }
            End givenUp = wait(pass, end.at(), next, true);
            if (givenUp != null) {
                return ofRetry(givenUp, end);
            }
            before = end;
            begins = next;
        }
    }

    private End ofRetry(End givenUp, End last) {
        boolean keeps = givenUp.outcome() == Outcome.REJECTED; // not INTERRUPTED: retry.md
        // A refused retry is one that was turned away: what is told is the dependency's last error.
        return keeps ? last.at(givenUp.at()).struck(givenUp.struck()) : givenUp;
    }

    private boolean again(Pass pass, End end) {
        // What must not be done twice is repeated only if it surely was not done: after a pushback.
        return (!spec.notTwice() || end.outcome() == Outcome.PUSHBACK)
                && end.is(Outcome.FAILURE, Outcome.PUSHBACK, Outcome.TIMEOUT)
                && !end.machine()
                && end.struck() == Limit.NONE
                && pass.attempts < Layer.ATTEMPTS
                && pass.outerAttempt <= 1
                && !pass.hedge;
    }

    /** hedge.md: a second attempt beside the first; the first success or fault of the caller's wins; else the last failure. */
    private End hedge(Pass pass, int index, long t, List<Limit> limits) {
        State before = new State(now);
        int from = pass.ran.size();
        Pass alone = copy(pass, Ending.NONE);
        End first = layer(alone, index + 1, t, limits);
        boolean made = !spec.notTwice()
                && pass.outerAttempt <= 1
                && !pass.hedge
                && alone.ran.size() > from
                && alone.ran.get(from)[1] > alone.ran.get(from)[0] + Layer.HEDGE_DELAY
                && !closedBefore(pass, alone.ran.get(from)[0] + Layer.HEDGE_DELAY);
        if (!made) {
            pass.attempts = alone.attempts;
            pass.ran.addAll(alone.ran.subList(from, alone.ran.size()));
            return first;
        }
        List<Layer> further = cell.layers()
                .subList(cell.first(pass.level) + index, cell.layers().size());
        if (pass.level < cell.last() && further.contains(Layer.CACHE)) {
            throw new Unmodelled("the second attempt joins the first one's load further in");
        }
        if (pass.level < cell.last() && further.lastIndexOf(Layer.HEDGE) > further.indexOf(Layer.HEDGE)) {
            throw new Unmodelled("a hedge inside a hedge begins in the same instant");
        }
        boolean full = spec.trouble() == Trouble.FULL || spec.trouble() == Trouble.FULL_FOR_LONG;
        if (full && pass.level < cell.last() && cell.met() >= cell.first(pass.level + 1)) {
            throw new Unmodelled("the second attempt queues behind the first one further in");
        }
        return race(pass, index, t, limits, before, alone.ran.get(from)[0] + Layer.HEDGE_DELAY);
    }

    /** Pipeline.close: what would need another thread is not begun. */
    private boolean closedBefore(Pass pass, long t) {
        return pass.level == 0 && cell.ending().isBy(Event.CLOSE) && spec.eventAt() <= t;
    }

    /** Two walks, each told when the other has won. */
    private End race(Pass pass, int index, long t, List<Limit> limits, State before, long hedgeAt) {
        long cutFirst = Ending.NONE;
        long cutSecond = Ending.NONE;
        for (; ; ) {
            now = new State(before);
            Pass one = copy(pass, cutFirst);
            End first = layer(one, index + 1, t, limits);
            boolean probing = now.probing;
            Pass two = new Pass(pass.level, pass.outerAttempt, true, Math.min(cutSecond, pass.cutAt));
            two.attempts = one.attempts;
            two.racing = true;
            // Where an interrupt makes the caller cancel a future, both are cancelled.
            two.beside = cell.level(pass.level).way() == Way.CALL
                    || (cell.ending().isBy(Event.INTERRUPT) && pass.level < interruptedLevel());
            String breaker = now.breaker;
            // The first one is the probe, if there is one.
            now.breaker = before.breaker;
            now.probing |= before.breaker.equals("half_open");
            End second = layer(two, index + 1, hedgeAt, limits);
            now.breaker = breaker;
            if (second.struck() != Limit.NONE
                    && limits.contains(second.struck())
                    && second.outcome() == Outcome.TIMEOUT) {
                // Its work may go on, but that holds another thread.
                second = second.at(second.struck().at);
            } else if (second.at() > nearest(limits).at && !second.wins()) {
                second = timeout(nearest(limits), nearest(limits).at);
            }
            now.probing = probing;
            // An interrupt that nobody in here has sent gives up the whole call.
            boolean over = first.wins()
                    || (first.outcome() == Outcome.INTERRUPTED && first.at() < cutFirst)
                    || isSooner(first);
            boolean firstWins = over && (first.at() <= second.at() || !second.wins());
            boolean secondWins = second.wins() && !firstWins;
            if (firstWins && cutSecond == Ending.NONE && second.at() > first.at()) {
                cutSecond = first.at();
            } else if (secondWins && cutFirst == Ending.NONE && first.at() > second.at()) {
                cutFirst = second.at();
            } else {
                pass.attempts = two.attempts;
                pass.ran.addAll(one.ran.subList(pass.ran.size(), one.ran.size()));
                boolean notMade = second.outcome() == Outcome.REJECTED;
                if (firstWins || notMade || (first.at() > second.at() && !secondWins)) {
                    return first;
                }
                Limit near = nearest(limits);
                boolean late = secondWins && second.at() == near.at && first.struck() == near;
                if (late && open(AN_ATTEMPT_THAT_ENDS_WITH_ANOTHER_IN_ONE_INSTANT_IS_CUT_BY_ITS_LIMIT, pass)) {
                    return first;
                }
                // hedge.md: a first attempt that ignores its interrupt holds its caller.
                return holds(pass.level) ? second.at(Math.max(first.at(), second.at())) : second;
            }
        }
    }

    /** An inner pipeline has given up for the limit that all attempts have, and has no answer: so has none of them. */
    private static boolean isSooner(End end) {
        return end.outcome() == Outcome.TIMEOUT && end.struck() != Limit.NONE && end.at() < end.struck().at;
    }

    private static Pass copy(Pass pass, long cutAt) {
        Pass copy = new Pass(pass.level, pass.outerAttempt, pass.hedge, Math.min(pass.cutAt, cutAt));
        copy.attempts = pass.attempts;
        copy.beside = pass.beside;
        copy.racing = true;
        copy.ran.addAll(pass.ran);
        return copy;
    }

    /** circuit-breaker.md. */
    private End breaker(Pass pass, int index, int number, long t, List<Limit> limits) {
        boolean met = number == cell.met();
        boolean half = met && spec.trouble() == Trouble.HALF_OPEN;
        if (half && now.breaker.equals("open") && t >= now.openUntil) {
            now.breaker = "half_open";
        }
        boolean turnsAway = (met && spec.trouble() == Trouble.OPEN)
                || (half && (now.breaker.equals("open") || (now.breaker.equals("half_open") && now.probing)));
        if (turnsAway) {
            return End.rejected("rejected by breaker of p" + pass.level + ": CIRCUIT_OPEN", t)
                    .hold(half ? now.openUntil : 0);
        }
        boolean probe = half && now.breaker.equals("half_open");
        now.probing |= probe;
        End end = layer(pass, index + 1, t, limits);
        boolean good = end.outcome() == Outcome.SUCCESS && end.source() == Source.LIVE;
        boolean bad = saysIll(pass, end, limits);
        now.counted[number] += good || bad ? 1 : 0;
        now.failed[number] += bad ? 1 : 0;
        if (probe) {
            now.probing = false;
            now.breaker = good ? "closed" : bad ? "open" : "half_open";
            now.openUntil = end.at() + Layer.OPEN_FOR;
        }
        return probe && bad ? end.hold(now.openUntil) : end;
    }

    /**
     * "Failures, pushback and attempts that ran out of time count." DESIGN 3: one that was cut short by a limit from outside
     * says nothing, unless it ran longer than answers used to take, or as long as what is set for everybody allows.
     */
    private boolean saysIll(Pass pass, End end, List<Limit> limits) {
        if (end.outcome() == Outcome.TIMEOUT && end.struck() != Limit.NONE) {
            boolean allowed = limits.stream()
                    .filter(limit -> limit.level == pass.level && limit.forEverybody())
                    .anyMatch(limit -> end.ran() >= limit.nanos
                            // circuit-breaker.md: "it ran for half of the limit of a policy outside the breaker".
                            || (!pass.hedge && limit == end.struck() && end.ran() >= limit.nanos / 2));
            // The answer before came at once.
            boolean outlived = spec.trouble() == Trouble.WARM;
            boolean chance = !allowed && (outlived || pass.level < cell.last()) && meetsAnother(pass.level);
            return chance
                    ? open(AN_ATTEMPT_THAT_ENDS_WITH_ANOTHER_IN_ONE_INSTANT_IS_CUT_BY_ITS_LIMIT, pass)
                    : allowed || outlived;
        }
        return end.is(Outcome.FAILURE, Outcome.PUSHBACK, Outcome.TIMEOUT) && !end.machine();
    }

    /** Whether a rival, or the hook of an attempt around it, ends an attempt in the instant in which the limit does. */
    private boolean meetsAnother(int level) {
        boolean meets = false;
        for (int i = 0; i <= level; i++) {
            meets |= cell.level(i).has(Layer.HEDGE);
            meets |= i > 0
                    && cell.level(i - 1).way() == Way.ASYNC
                    && cell.level(i).way() == Way.CALL;
        }
        return meets;
    }

    /** throttle.md. */
    private End throttle(Pass pass, int index, int number, long t, List<Limit> limits) {
        long starts = t;
        if (number == cell.met()) {
            long place = spec.trouble() == Trouble.THROTTLED ? now.nextPlace + Layer.PACE : now.nextPlace;
            starts = Math.max(t, place);
            boolean late = starts >= nearest(limits).at;
            if (starts - t > Layer.THROTTLE_MAX_WAIT || late || (pass.hedge && starts > t)) {
                // "turned away at once and takes nothing"
                return End.rejected("rejected by throttle of p" + pass.level + ": THROTTLED", t);
            }
            End givenUp = starts > t ? wait(pass, t, starts, false) : null;
            if (givenUp != null) {
                return givenUp;
            }
            now.nextPlace = starts + Layer.PACE;
        }
        End end = layer(pass, index + 1, starts, limits);
        // "What is not used is given back."
        now.used[number] += end.started() ? 1 : 0;
        return end;
    }

    /** bulkhead.md. */
    private End bulkhead(Pass pass, int index, int number, long t, List<Limit> limits) {
        long until = spec.trouble() == Trouble.FULL ? Trouble.FULL_UNTIL : Trouble.FULL_FOR_LONG_UNTIL;
        boolean met = number == cell.met();
        if (met && pass.hedge) {
            // hedge.md: it takes what is free and never waits.
            return End.rejected("rejected by bulkhead of p" + pass.level + ": BULKHEAD_FULL", t);
        }
        if (!met || t >= until) {
            return layer(pass, index + 1, t, limits);
        }
        long waits = Math.min(until, t + Layer.MAX_WAIT);
        Limit near = nearest(limits);
        long givenUpAt = givenUpAt(pass, t);
        if (near.at < waits && near.at < givenUpAt) {
            // deadline.md: before the dependency was asked it is DEADLINE_EXCEEDED.
            return End.rejected("rejected: DEADLINE_EXCEEDED", near.at).struck(near);
        }
        if (until > waits && givenUpAt > waits) {
            return End.rejected("rejected by bulkhead of p" + pass.level + ": BULKHEAD_FULL", waits);
        }
        End givenUp = wait(pass, t, waits, false);
        return givenUp != null ? givenUp : layer(pass, index + 1, waits, limits);
    }

    /** What the model is too small for; only the invariants are looked at. */
    static final class Unmodelled extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Unmodelled(String why) {
            super(why);
        }
    }
}
