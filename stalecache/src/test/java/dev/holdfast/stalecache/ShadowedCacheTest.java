/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A cache in shadow keeps values, too, which may become answers: what is removed is removed there as well. */
class ShadowedCacheTest {
    private static final Work OLD = Work.value("old");
    private static final Work DOWN = Work.error(new IllegalStateException("down"));

    private static StaleCachePolicy cache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    private static ShadowPolicy shadow() {
        return ShadowPolicy.of(cache());
    }

    private static boolean hasOld(Rig rig, String key) {
        return rig.run(key, DOWN).handle((reply, error) -> error == null).join();
    }

    @ParameterizedTest
    @EnumSource
    void whatIsRemovedThroughTheActiveOneBeforeIsGoneFromTheOneInShadow(Way way) {
        StaleCachePolicy held = cache();
        try (Rig rig = new Rig(way, held)) {
            rig.pipeline.replace(shadow());
            rig.load("a", OLD);
            rig.load("b", OLD);
            held.invalidate("a");
            rig.pipeline.replace(shadow());
            rig.load("c", OLD);
            held.invalidate("c");
            rig.pipeline.replace(cache());
            assertThat(hasOld(rig, "a")).isFalse();
            assertThat(hasOld(rig, "b")).as("kept in shadow").isTrue();
            assertThat(hasOld(rig, "c")).isFalse();
            held.clear();
            assertThat(hasOld(rig, "b")).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatGoesIntoShadowBeginsWithoutValues(Way way) {
        try (Rig rig = new Rig(way, cache())) {
            rig.load("a", OLD);
            rig.pipeline.replace(shadow());
            assertThat(rig.pipeline.policy(StaleCachePolicy.class).size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsRemovedThroughTheActiveOneIsGoneFromTheOneInShadowBesideIt(Way way) {
        StaleCachePolicy active = cache();
        ShadowPolicy beside = shadow();
        try (Rig rig = new Rig(way, beside, active)) {
            rig.load("a", OLD);
            rig.load("b", OLD);
            active.invalidate("a");
            assertThat(((StaleCachePolicy) beside.policy()).size()).isOne();
            rig.pipeline.replace(shadow());
            rig.pipeline.replace(cache());
            assertThat(hasOld(rig, "a")).isFalse();
            assertThat(hasOld(rig, "b")).as("kept in shadow").isTrue();
        }
    }

    /** Each of the two sees each load. */
    @ParameterizedTest
    @EnumSource
    void whatALoadRemovesFromOneOfTwoStaysInTheOther(Way way) {
        for (boolean lightInShadow : new boolean[] {true, false}) {
            StaleCachePolicy light = StaleCachePolicy.of(
                    c -> c.staleIfSlow(Duration.ZERO).maxValueWeight(1).weigher(value -> 2));
            StaleCachePolicy other = cache();
            Policy active = lightInShadow ? other : light;
            ShadowPolicy beside = ShadowPolicy.of(lightInShadow ? light : other);
            try (Rig rig = new Rig(way, beside, active)) {
                rig.load("a", OLD);
                rig.load("a", DOWN);
                assertThat(other.size()).isOne();
                assertThat(beside.count(Decision.ANSWERED)).isEqualTo(lightInShadow ? 0 : 1);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void pipelineGivesTheOneInShadowIfThereIsNoOther(Way way) {
        StaleCachePolicy cache = cache();
        try (Rig rig = new Rig(way, ShadowPolicy.of(cache))) {
            rig.load("a", OLD);
            StaleCachePolicy found = rig.pipeline.policy(StaleCachePolicy.class);
            assertThat(found).isSameAs(cache);
            found.invalidate("a");
            rig.pipeline.enforce("stale-cache");
            assertThat(hasOld(rig, "a")).isFalse();
            StaleCachePolicy active = cache();
            rig.pipeline.replace(shadow(), active);
            assertThat(rig.pipeline.policy(StaleCachePolicy.class)).isSameAs(active);
        }
    }

    /** A reload falls into the load. */
    @ParameterizedTest
    @EnumSource
    void whatALoadRemovesInShadowIsGoneFromTheOneThatIsInShadowThen(Way way) {
        for (boolean besideActive : new boolean[] {true, false}) {
            StaleCachePolicy before = cache();
            StaleCachePolicy then = cache();
            StaleCachePolicy active = cache();
            try (Rig rig = besideActive
                    ? new Rig(way, ShadowPolicy.of(before), active)
                    : new Rig(way, ShadowPolicy.of(before))) {
                rig.load("a", OLD);
                Running<Reply<Object>> load = rig.start("a", Work.value("gone").taking(Duration.ofSeconds(1)));
                if (besideActive) {
                    rig.pipeline.replace(ShadowPolicy.of(then), active);
                } else {
                    rig.pipeline.replace(ShadowPolicy.of(then));
                }
                assertThat(then.size()).isOne();
                rig.time.run();
                assertThat(load.result()).isCompleted();
                assertThat(List.of(before.size(), then.size(), active.size())).containsOnly(0L);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void oneInShadowOfSeveralPipelinesIsBesideAnActiveOneWhereThereIsOne(Way way) {
        ShadowPolicy shared = ShadowPolicy.of(
                StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO).keepIfIgnored(true)));
        StaleCachePolicy active = cache();
        try (Rig rig = new Rig(way, shared, active);
                Pipeline alone = Pipeline.builder("prices")
                        .policies(shared)
                        .time(rig.time)
                        .build()) {
            rig.load("a", OLD);
            rig.load("a", Work.value("gone"));
            assertThat(active.size()).isZero();
            assertThat(((StaleCachePolicy) shared.policy()).size())
                    .as("keeps what is gone, where " + alone + " has no other")
                    .isOne();
        }
    }
}
