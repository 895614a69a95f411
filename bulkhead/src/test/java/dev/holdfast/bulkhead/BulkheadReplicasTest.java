/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A limit that heeds losses, of a process that knows how many others call the same dependency. */
class BulkheadReplicasTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(BulkheadPolicy bulkhead) {
        return Pipeline.builder("inventory")
                .policies(bulkhead, TimeoutPolicy.of(ofMillis(500)))
                .time(time)
                .build();
    }

    @ParameterizedTest
    @CsvSource({"1, 10", "15, 10", "16, 9", "30, 5", "40, 3", "300, 3", "10000, 3"})
    void theFirstValueIsAShare(int replicas, int first) {
        assertThat(BulkheadPolicy.of(b -> b.replicas(replicas)).limit()).isEqualTo(first);
    }

    @Test
    void aNumberThatTheUserGivesStays() {
        assertThat(BulkheadPolicy.of(b -> b.replicas(40).initialConcurrentCalls(20))
                        .limit())
                .isEqualTo(20);
        assertThat(BulkheadPolicy.of(b -> b.replicas(40).maxConcurrentCalls(50)).limit())
                .isEqualTo(50);
        assertThat(BulkheadPolicy.of(
                                b -> b.replicas(40).limit(LimitAlgorithm.LOSSES).maxConcurrentCalls(50))
                        .limit())
                .isEqualTo(50);
        assertThat(BulkheadPolicy.of(b -> b.replicas(40).limit(LimitAlgorithm.AIMD))
                        .limit())
                .isEqualTo(20);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aNumberThatChangesWhileCallsWaitChangesALimitThatNothingElseHasChanged(Way way) {
        AtomicInteger replicas = new AtomicInteger(40);
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.replicas(replicas::get));
        Pipeline pipeline = pipeline(bulkhead);
        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            calls.add(dependency.call(pipeline, ofMillis(40)));
        }
        time.advance(ofMillis(1));
        assertThat(dependency.inside()).isEqualTo(3);
        replicas.set(1);
        time.advance(ofMillis(40));

        assertThat(bulkhead.limit()).isEqualTo(10);
        assertThat(dependency.inside()).isEqualTo(5);
        time.run();
        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompletedWithValue("done"));
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLimitThatHasGrownStaysWhereItIs(Way way) {
        AtomicInteger replicas = new AtomicInteger(1);
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.replicas(replicas::get));
        Pipeline pipeline = pipeline(bulkhead);
        rounds(dependency, pipeline, 20);
        int grown = bulkhead.limit();
        assertThat(grown).isGreaterThan(10);

        replicas.set(300);
        rounds(dependency, pipeline, 20);

        assertThat(bulkhead.limit()).isGreaterThanOrEqualTo(grown);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aQuietProcessFollowsTheNumber(Way way) {
        AtomicInteger replicas = new AtomicInteger(1);
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.replicas(replicas::get));
        Pipeline pipeline = pipeline(bulkhead);
        replicas.set(300);

        for (int i = 0; i < 200; i++) {
            dependency.call(pipeline, ofMillis(20 + i % 7));
            time.advance(ofMillis(100));
        }

        assertThat(bulkhead.limit()).isEqualTo(3);
    }

    private void rounds(Dependency dependency, Pipeline pipeline, int calls) {
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < calls; i++) {
                dependency.call(pipeline, ofMillis(50));
            }
            time.advance(ofMillis(250));
        }
    }

    @Test
    void aReloadWithAnotherNumberFollowsIt() {
        BulkheadPolicy before = BulkheadPolicy.of(b -> b.replicas(1));
        Pipeline pipeline = pipeline(before);
        BulkheadPolicy after = BulkheadPolicy.of(b -> b.replicas(300));
        pipeline.replace(after, TimeoutPolicy.of(ofMillis(500)));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        for (int i = 0; i < 200; i++) {
            dependency.call(pipeline, ofMillis(20 + i % 7));
            time.advance(ofMillis(100));
        }

        assertThat(after.limit()).isEqualTo(3);
    }

    @Test
    void aNumberOutOfRangeIsRefused() {
        assertThatThrownBy(() -> BulkheadPolicy.of(b -> b.replicas(0)))
                .hasMessageContaining("replicas is 0 but must be 1 to 10,000");
        assertThat(BulkheadSettings.of(b -> b.replicas(40)).asMap())
                .containsEntry("replicas", 40)
                .containsEntry("initial-concurrent-calls", 3);
    }
}
