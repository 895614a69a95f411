/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is served first, for how long one waits, and what resizing does to those who wait; blocking and asynchronous. */
class QueueOrderTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(BulkheadPolicy bulkhead) {
        return Pipeline.builder("inventory").policies(bulkhead).time(time).build();
    }

    private static BulkheadPolicy bulkhead(Consumer<BulkheadSettings.Builder> changes) {
        return BulkheadPolicy.of(b -> {
            b.maxConcurrentCalls(1).maxWait(ofSeconds(1));
            changes.accept(b);
        });
    }

    private List<Integer> orderOfService(BulkheadPolicy bulkhead, Way way, int calls) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            int number = i;
            Running<String> call = dependency.call(pipeline, ofMillis(2));
            assertThat(call.result().thenRun(() -> order.add(number))).isNotNull();
            time.advance(Duration.ofNanos(1));
        }
        time.run();
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        return order;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theNewestIsServedFirst(Way way) {
        assertThat(orderOfService(bulkhead(b -> b.queueOrder(QueueOrder.LIFO)), way, 5))
                .containsExactly(0, 4, 3, 2, 1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aNewcomerTakesThePlaceOfTheOldestOfAFullQueue(Way way) {
        BulkheadPolicy bulkhead = bulkhead(b -> b.queueOrder(QueueOrder.LIFO).maxWaitingCalls(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        dependency.call(pipeline, ofMillis(5));
        time.advance(ofMillis(1));
        Running<String> oldest = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(1));
        Running<String> newest = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(1));

        assertThat(oldest.error())
                .isInstanceOf(CallRejectedException.class)
                .hasMessage("bulkhead of 'inventory' is full: a later call took the place in the queue, "
                        + "1 of 1 permits are out, 1 of 1 wait");
        time.run();
        assertThat(newest.result()).isCompletedWithValue("done");
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inAQueueThatStandsNobodyWaitsForLongerThanTheTarget(Way way) {
        BulkheadPolicy bulkhead = bulkhead(
                b -> b.queueOrder(QueueOrder.CODEL).codelInterval(ofMillis(50)).codelTarget(ofMillis(5)));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        dependency.call(pipeline, ofMillis(500));
        time.advance(ofMillis(1));
        Running<String> early = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(50));
        Running<String> late = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(4));
        assertThat(late.result()).isNotDone();
        time.advance(ofMillis(1));

        assertThat(late.error())
                .isInstanceOf(CallRejectedException.class)
                .hasMessageStartingWith("bulkhead of 'inventory' is full: no permit came back within 5 ms, 1 of 1");
        assertThat(early.result()).isNotDone();
        time.run();
        assertThat(early.result()).isCompletedWithValue("done");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLargerLimitLetsThoseWhoWaitGoOn(Way way) {
        BulkheadPolicy bulkhead = bulkhead(b -> b.maxConcurrentCalls(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        for (int i = 0; i < 4; i++) {
            dependency.call(pipeline, ofMillis(100));
        }
        time.advance(ofMillis(1));
        assertThat(dependency.inside()).isEqualTo(1);

        bulkhead.resize(3);
        time.advance(ofMillis(1));

        assertThat(dependency.inside()).isEqualTo(3);
        assertThat(bulkhead.limit()).isEqualTo(3);
        bulkhead.resize(1);
        assertThat(dependency.inside()).isEqualTo(3);
        time.run();
        assertThat(dependency.most()).isEqualTo(3);
        assertThat(dependency.starts()).hasSize(4);
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void aLimitThatCannotBeIsRefusedAndNothingChanges() {
        BulkheadPolicy bulkhead = bulkhead(b -> b.maxConcurrentCalls(3));

        assertThatThrownBy(() -> bulkhead.resize(0))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("maxConcurrentCalls is 0 but must be 1 to 1,000,000");
        assertThat(bulkhead.limit()).isEqualTo(3);
    }
}
