/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A store on virtual time: as slow as it is told to be, and able to stop, to stand still and to lose its data. */
final class FakeStore implements PermitStore {
    private static final long SECOND = 1_000_000_000;

    private enum Health {
        WELL,
        STOPPED,
        STILL
    }

    private final VirtualTime time;
    private final long limit;
    private final long burst;
    private final List<Runnable> arrived = new ArrayList<>();
    private final List<Answer> open = new ArrayList<>();
    private Health health = Health.WELL;
    private Duration answersAfter = Duration.ofMillis(1);
    /** In nanoseconds of the limit: a permit is a second, and each nanosecond brings {@link #limit}. */
    private long level;

    private long seen;
    private int questions;
    private boolean loses;
    private @Nullable Error losesWith;

    /** With so many permits a second. */
    FakeStore(VirtualTime time, long limit, long burst) {
        this.time = time;
        this.limit = limit;
        this.burst = burst;
        level = burst * SECOND;
        seen = time.nanos();
    }

    FakeStore answersAfter(Duration delay) {
        answersAfter = delay;
        return this;
    }

    /** Refuses connections, and ends those that there are. */
    void stop() {
        health = Health.STOPPED;
        breakOff();
    }

    /** Ends the connections that there are. */
    void breakOff() {
        arrived.clear();
        open.forEach(answer -> answer.failed(new IllegalStateException("broken off")));
        open.clear();
    }

    /** Is there again. */
    void start() {
        health = Health.WELL;
        arrived.forEach(Runnable::run);
        arrived.clear();
        open.clear();
    }

    /** Is there again, without its data. */
    void startEmptied() {
        level = burst * SECOND;
        seen = time.nanos();
        start();
    }

    /** Throws this at the next question, before it takes it; or with null, takes it and never answers. */
    void lose(@Nullable Error thrown) {
        loses = true;
        losesWith = thrown;
    }

    /** Takes questions, and works at them when it starts again. */
    void standStill() {
        health = Health.STILL;
    }

    int questions() {
        return questions;
    }

    @Override
    public String toString() {
        return "store";
    }

    /** The connection of one process to this store. */
    Connection connection() {
        return new Connection();
    }

    /** Its process may get no processor: then it hears answers and does what is due when it goes on, answers first. */
    final class Connection implements PermitStore {
        private final List<Runnable> heard = new ArrayList<>();
        private final List<Runnable> due = new ArrayList<>();
        private boolean still;

        void standStill() {
            still = true;
        }

        void goOn() {
            still = false;
            heard.forEach(Runnable::run);
            heard.clear();
            due.forEach(Runnable::run);
            due.clear();
        }

        @Override
        public void take(long most, Answer answer) {
            FakeStore.this.take(most, new Answer() {
                @Override
                public void taken(long permits, long nanosUntilNext) {
                    hear(() -> answer.taken(permits, nanosUntilNext), heard);
                }

                @Override
                public void failed(Throwable why) {
                    hear(() -> answer.failed(why), heard);
                }
            });
        }

        @Override
        public void later(long nanos, Runnable task) {
            FakeStore.this.later(nanos, () -> hear(task, due));
        }

        @Override
        public String toString() {
            return FakeStore.this.toString();
        }

        private void hear(Runnable event, List<Runnable> kept) {
            if (still) {
                kept.add(event);
            } else {
                event.run();
            }
        }
    }

    @Override
    public void later(long nanos, Runnable task) {
        time.schedule(nanos, task);
    }

    @Override
    public void take(long most, Answer answer) {
        questions++;
        if (loses) {
            loses = false;
            if (losesWith != null) {
                throw losesWith;
            }
        } else if (health == Health.STOPPED) {
            answer.failed(new IllegalStateException("refused"));
        } else {
            time.schedule(answersAfter.toNanos() / 2, () -> arrive(most, answer));
        }
    }

    private void arrive(long most, Answer answer) {
        switch (health) {
            case WELL -> work(most, answer);
            case STILL -> {
                arrived.add(() -> work(most, answer));
                open.add(answer);
            }
            case STOPPED -> answer.failed(new IllegalStateException("broken off"));
        }
    }

    private void work(long most, Answer answer) {
        long now = time.nanos();
        level = Math.min(burst * SECOND, level + (now - seen) * limit);
        seen = now;
        long taken = Math.min(most, level / SECOND);
        level -= taken * SECOND;
        long untilNext = level >= SECOND ? 0 : (SECOND - level + limit - 1) / limit;
        time.schedule(answersAfter.toNanos() / 2, () -> answer.taken(taken, untilNext));
    }
}
