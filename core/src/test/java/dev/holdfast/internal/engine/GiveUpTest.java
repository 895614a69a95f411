/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Knobs;
import dev.holdfast.Pipeline;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A hedge is given up by another thread, also in the moment in which its attempt begins. */
class GiveUpTest {
    private static final int ROUNDS = 20_000;

    private final Pipeline pipeline = Pipeline.of("p");
    /** Even: both have done the round; odd: one of them has. */
    private final AtomicInteger arrived = new AtomicInteger();

    @AfterEach
    void close() {
        pipeline.close();
    }

    private final CallSpec spec = new CallSpec(
            new OperationSpec("x", new Meaning(Classifier.DEFAULT), null, 1, Bound.UNSAID),
            null,
            Long.MAX_VALUE,
            true,
            false,
            null,
            null);

    private CallState newCall() {
        CallState call = new CallState(1, false, null);
        call.begin(Knobs.engine(pipeline), spec, Engine.SUPPLIER, false);
        call.expectLanding();
        return call;
    }

    /** Waits awake, so that both threads go on in the same moment; unless there is one processor for both. */
    @SuppressWarnings("ThreadPriorityCheck")
    private void meet() {
        int round = arrived.getAndIncrement() / 2;
        for (int spins = 0; arrived.get() / 2 == round; spins++) {
            if (spins < 1_000) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    /** What has begun and was given up waits until it has been interrupted: for ever if it never is. */
    @Test
    void attemptThatIsGivenUpInTheMomentItBeginsIsToldSo() throws Exception {
        CallState[] calls = new CallState[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            calls[i] = newCall();
        }
        boolean[] struck = new boolean[ROUNDS];
        Thread beginning = new Thread(() -> {
            for (int i = 0; i < ROUNDS; i++) {
                meet();
                long number = calls[i].openSuspension();
                struck[i] = number >= 0
                        && calls[i].park(number)
                        && calls[i].claim(number, CallWord.BY_COMPLETION) == CallWord.RUNNING;
            }
        });
        beginning.start();
        for (CallState call : calls) {
            meet();
            call.giveUp();
        }
        beginning.join();
        for (int i = 0; i < ROUNDS; i++) {
            assertThat(calls[i].hasLanded()).as("call %d", i).isEqualTo(struck[i]);
        }
    }
}
