/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A reload puts another cache in the place of one: what is removed through either is gone. */
class SuccessorTest {
    private static final Duration LONG = Duration.ofSeconds(2);
    private static final Work OLD = Work.value("old");
    private static final Work DOWN = Work.error(new IllegalStateException("down"));

    private static StaleCachePolicy cache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    private static void replaceWith(Rig rig, Consumer<StaleCachePolicy> meanwhile) {
        StaleCachePolicy next = cache();
        rig.pipeline.replace(next);
        meanwhile.accept(next);
    }

    private static boolean hasOld(Rig rig, String key) {
        return rig.run(key, DOWN).handle((reply, error) -> error == null).join();
    }

    @ParameterizedTest
    @EnumSource
    void whatIsRemovedThroughACacheThatSomebodyHoldsIsGone(Way way) {
        StaleCachePolicy held = cache();
        try (Rig rig = new Rig(way, held)) {
            rig.load("a", OLD);
            rig.load("b", OLD);
            rig.pipeline.replace(cache());
            rig.pipeline.replace(cache());
            held.invalidate("a");
            assertThat(hasOld(rig, "a")).isFalse();
            assertThat(hasOld(rig, "b")).isTrue();
            held.clear();
            assertThat(hasOld(rig, "b")).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatALoadFindsGoneIsGoneAlsoIfItBeganBefore(Way way) {
        for (Work gone : List.of(
                Work.value("gone").taking(LONG),
                Work.value(null).taking(LONG),
                Work.reading(() -> Page.own("own")).taking(LONG))) {
            try (Rig rig = new Rig(way, cache())) {
                rig.load("a", OLD);
                rig.start("a", gone);
                replaceWith(rig, next -> assertThat(next.size()).isEqualTo(1));
                rig.time.run();
                assertThat(hasOld(rig, "a")).as("after %s", gone).isFalse();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAnswerThatIsKeptInPlaceOfAValueRemovesItThereToo(Way way) {
        try (Rig rig = new Rig(
                way, StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO).freshIfIgnored(Duration.ofMinutes(1))))) {
            rig.load("a", OLD);
            rig.start("a", Work.value("gone").taking(LONG));
            rig.pipeline.replace(cache());
            rig.time.run();
            assertThat(hasOld(rig, "a")).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRemovalWhileValuesAreTakenOverIsNotUndone(Way way) {
        StaleCachePolicy held = cache();
        AtomicBoolean removed = new AtomicBoolean();
        try (Rig rig = new Rig(way, held)) {
            rig.load("a", OLD);
            rig.load("b", OLD);
            // The weigher runs between the look at a value and its place in the new cache.
            rig.pipeline.replace(StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)
                    .maxWeight(100)
                    .weigher(value -> {
                        if (removed.compareAndSet(false, true)) {
                            held.invalidate("a");
                            held.invalidate("b");
                        }
                        return 1;
                    })));
            assertThat(removed).isTrue();
            assertThat(hasOld(rig, "a")).isFalse();
            assertThat(hasOld(rig, "b")).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCacheThatComesBackHasWhatItHadAndNothingThatWasRemoved(Way way) {
        StaleCachePolicy first = cache();
        try (Rig rig = new Rig(way, first)) {
            for (String key : List.of("a", "b", "c", "d")) {
                rig.load(key, OLD);
            }
            // As a reload that is refused because of another pipeline does it.
            StaleCachePolicy small =
                    StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO).maxEntries(1));
            rig.pipeline.replace(small);
            small.invalidate("a");
            rig.load("b", Work.value("gone"));
            rig.pipeline.replace(first);
            assertThat(hasOld(rig, "a")).isFalse();
            assertThat(hasOld(rig, "b")).isFalse();
            assertThat(hasOld(rig, "c")).isTrue();
            assertThat(hasOld(rig, "d")).isTrue();
            small.clear();
            assertThat(hasOld(rig, "d")).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWeigherThatIsNewWeighsWhatIsThere(Way way) {
        try (Rig rig = new Rig(way, cache())) {
            for (int i = 0; i < 10; i++) {
                rig.load("key " + i, OLD);
            }
            StaleCachePolicy bounded = StaleCachePolicy.of(
                    c -> c.staleIfSlow(Duration.ZERO).maxWeight(50).weigher(value -> 10));
            rig.pipeline.replace(bounded);
            assertThat(bounded.size()).isEqualTo(5);
            StaleCachePolicy broken = StaleCachePolicy.of(
                    c -> c.staleIfSlow(Duration.ZERO).maxWeight(50).weigher(value -> {
                        throw new IllegalStateException("broken");
                    }));
            rig.pipeline.replace(broken);
            assertThat(broken.size()).as("what cannot be weighed has no place").isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void keysWhoseValuesAreForOneCallStayKnown(Way way) {
        try (Rig rig = new Rig(way, cache())) {
            rig.load("a", Work.reading(() -> Page.own("own")));
            rig.pipeline.replace(cache());
            Work own = Work.reading(() -> Page.own("own")).taking(LONG);
            List<Running<Reply<Object>>> calls = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                calls.add(rig.start("a", own));
            }
            assertThat(own.asked()).as("none waits for another").isEqualTo(5);
            rig.time.run();
            assertThat(calls)
                    .allSatisfy(
                            call -> assertThat(call.result().join().source()).isEqualTo(Source.LIVE));
        }
    }

    /** Looks at the key in the middle of a removal, as a thread that was just not on a processor. */
    private static final class Held {
        private final @Nullable Runnable meanwhile;

        Held(@Nullable Runnable meanwhile) {
            this.meanwhile = meanwhile;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            if (meanwhile != null) {
                meanwhile.run();
            }
            return other instanceof Held;
        }

        @Override
        public int hashCode() {
            return 7;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRemovalIsNotUndoneHoweverManyReloadsFallIntoIt(Way way) {
        for (int reloads = 0; reloads < 5; reloads++) {
            int most = reloads;
            StaleCachePolicy held = cache();
            try (Rig rig = new Rig(way, held)) {
                CompletableFuture<?> unused =
                        rig.start(rig.stock.key(new Held(null)), OLD).result();
                AtomicInteger done = new AtomicInteger();
                held.invalidate(new Held(() -> {
                    if (done.get() < most) {
                        done.incrementAndGet();
                        rig.pipeline.replace(cache());
                    }
                }));
                assertThat(done).hasValue(reloads);
                assertThat(rig.start(rig.stock.key(new Held(null)), DOWN).result())
                        .as("after %d reloads", reloads)
                        .isCompletedExceptionally();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCacheThatComesBackKeepsWhatItHasLoadedMeanwhileIfThatIsYounger(Way way) {
        StaleCachePolicy first = cache();
        try (Rig rig = new Rig(way, first)) {
            rig.start("a", Work.value("younger").taking(LONG));
            rig.pipeline.replace(cache());
            for (String key : List.of("a", "b")) {
                assertThat(rig.start(key, OLD).result()).isCompleted();
            }
            rig.time.run();
            rig.pipeline.replace(first);
            assertThat(rig.run("a", DOWN).join().value()).isEqualTo("younger");
            assertThat(hasOld(rig, "b")).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLoadThatIsTooLateTakesNothingAwayFromTheNextCache(Way way) {
        StaleCachePolicy first = cache();
        try (Rig rig = new Rig(way, first)) {
            rig.start("a", OLD.taking(LONG));
            first.invalidate("a");
            rig.pipeline.replace(cache());
            Running<Reply<Object>> slow = rig.start("b", Work.value("b").taking(LONG));
            rig.start("a", Work.value("new"));
            rig.time.run();
            assertThat(slow.result()).isCompleted();
            assertThat(rig.run("a", DOWN))
                    .isCompletedWithValueMatching(reply -> "new".equals(reply.value()), "the newer value");
        }
    }
}
