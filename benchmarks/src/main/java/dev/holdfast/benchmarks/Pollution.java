/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.openjdk.jmh.infra.Blackhole;

/** Warms eight pipelines, or eight stacks of decorators, each in another order. */
final class Pollution {
    private static final int ORDERS = 8;
    private static final int CALLS = 30_000;
    private static final int FAILS_EVERY = 1_024;

    private Pollution() {}

    /** Holdfast: each pipeline has the four policies, with do-nothing ones between them. */
    static void ofPipelines(Profile profile, Blackhole blackhole) {
        if (profile == Profile.CLEAN) {
            return;
        }
        Random random = new Random(1);
        for (int order = 0; order < ORDERS; order++) {
            List<Policy> policies = new ArrayList<>(Policies.four());
            Collections.addAll(policies, NoOpPolicy.several(order % 4));
            Collections.shuffle(policies, random);
            try (Pipeline pipeline =
                    Pipeline.builder("order-" + order).policies(policies).build()) {
                for (int call = 0; call < CALLS; call++) {
                    blackhole.consume(once(pipeline, call, order));
                }
            }
        }
    }

    private static Object once(Pipeline pipeline, int call, int order) {
        try {
            // One lambda for each order, as a service has one for each of its clients.
            return switch (order % 4) {
                case 0 -> pipeline.call(() -> answer(call));
                case 1 -> pipeline.call(() -> answer(call).length());
                case 2 -> pipeline.call(() -> answer(call).hashCode());
                default -> pipeline.call(() -> answer(call).isEmpty());
            };
        } catch (IllegalStateException expected) {
            return expected;
        }
    }

    /** The peer: the same four in as many orders. */
    static void ofDecorators(Profile profile, Resilience4jParts parts, Blackhole blackhole) throws Exception {
        if (profile == Profile.CLEAN) {
            return;
        }
        Random random = new Random(1);
        for (int order = 0; order < ORDERS; order++) {
            List<UnaryOperator<Callable<String>>> layers =
                    new ArrayList<>(parts.another().layers());
            Collections.shuffle(layers, random);
            int[] call = {0};
            Callable<String> decorated = () -> answer(call[0]);
            for (UnaryOperator<Callable<String>> layer : layers) {
                decorated = layer.apply(decorated);
            }
            for (; call[0] < CALLS; call[0]++) {
                blackhole.consume(once(decorated));
            }
        }
    }

    private static Object once(Callable<String> decorated) throws Exception {
        try {
            return decorated.call();
        } catch (IllegalStateException expected) {
            return expected;
        }
    }

    private static String answer(int call) {
        if (call % FAILS_EVERY == FAILS_EVERY - 1) {
            throw new IllegalStateException("every so often");
        }
        return "answer";
    }
}
