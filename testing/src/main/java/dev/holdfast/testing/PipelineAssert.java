/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.assertj.core.api.AbstractAssert;

/** Assertions on a {@link Pipeline}: its order, and what its policies hold, as their meters tell. */
public final class PipelineAssert extends AbstractAssert<PipelineAssert, Pipeline> {
    private static final List<String> HELD = List.of(".in.flight", ".waiting");

    PipelineAssert(Pipeline actual) {
        super(actual, PipelineAssert.class);
    }

    /** It has exactly these policies, by their names, outermost first. */
    public PipelineAssert hasOrder(String... outermostFirst) {
        isNotNull();
        List<String> order = actual.policies().stream().map(Policy::name).toList();
        List<String> expected = List.of(outermostFirst);
        if (!order.equals(expected)) {
            throw failureWithActualExpected(
                    order,
                    expected,
                    "Expected the order of '%s' to be%n  %s%nbut it is%n  %s",
                    actual.name(),
                    String.join(" > ", expected),
                    String.join(" > ", order));
        }
        return this;
    }

    /** No permit is out and no call waits for one: every gauge of what is in flight or waiting is zero. */
    public PipelineAssert isIdle() {
        isNotNull();
        List<String> held = new ArrayList<>();
        actual.meters(gauges((name, value) -> {
            if (value != 0 && HELD.stream().anyMatch(name::endsWith)) {
                held.add(name + " is " + number(value));
            }
        }));
        if (!held.isEmpty()) {
            throw failure("Expected '%s' to be idle, but %s", actual.name(), String.join(", ", held));
        }
        return this;
    }

    /**
     * A policy of this name is in this state.
     *
     * @param policy such as {@code circuit-breaker}
     * @param expected as its gauge is tagged: {@code closed}, {@code open}, {@code half_open} or {@code half-open}
     */
    public PipelineAssert hasState(String policy, String expected) {
        isNotNull();
        String prefix = policy.replace("-", "") + ".state ";
        List<String> states = new ArrayList<>();
        actual.meters(gauges((name, value) -> {
            if (value == 1 && name.startsWith(prefix)) {
                states.add(name.substring(prefix.length()));
            }
        }));
        if (!states.contains(expected.replace('-', '_'))) {
            String found = states.isEmpty() ? "no policy of that name tells its state" : "it is " + states;
            throw failure("Expected the %s of '%s' to be %s, but %s", policy, actual.name(), expected, found);
        }
        return this;
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    @FunctionalInterface
    private interface Reading {
        void read(String name, double value);
    }

    /** Reads all gauges; a tag's value follows the name. Unlike a snapshot it sees both of two policies of one kind. */
    private static Meters gauges(Reading reading) {
        return new Meters() {
            @Override
            public void gauge(String name, String description, DoubleSupplier value) {
                reading.read(name, value.getAsDouble());
            }

            @Override
            public void gauge(String name, String description, String tag, String tagValue, DoubleSupplier value) {
                reading.read(name + " " + tagValue, value.getAsDouble());
            }

            @Override
            public void counter(String name, String description, LongSupplier total) {}

            @Override
            public void counter(String name, String description, String tag, String tagValue, LongSupplier total) {}
        };
    }
}
