/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/** What the action does, attempt by attempt. */
enum Script {
    VALUE,
    SLOW,
    FAIL,
    FAIL_ONCE,
    BUSY,
    BUSY_ONCE,
    GONE,
    ERROR,
    MACHINE,
    INTERRUPTION,
    CANCELLATION,
    HANG,
    HANG_ONCE,
    /** As HANG; when it is interrupted it sets the flag again and throws. */
    REFLAG,
    /** Heeds nothing and gives its value after 400 ms. */
    DEAF;

    static final long QUICK = 1;
    static final long SLOWLY = 60;
    static final long DEAFLY = 400;
    static final long NEVER = Long.MAX_VALUE / 4;

    /** What one attempt does. */
    record Step(Outcome outcome, String what, long takes, boolean deaf, boolean reflags) {

        boolean gives() {
            return what.startsWith("v") || what.startsWith("busy");
        }

        Throwable error() {
            return switch (what) {
                case "IOException" -> new IOException("ill");
                case "IllegalArgumentException" -> new IllegalArgumentException("gone");
                case "AssertionError" -> new AssertionError("broken");
                case "InterruptedException" -> new InterruptedException("by somebody else");
                case "CancellationException" -> new CancellationException("by somebody else");
                case "StackOverflowError" -> new StackOverflowError("deep");
                default -> throw new IllegalStateException(what);
            };
        }
    }

    /** What all pipelines take answers for. */
    static final Classifier CLASSIFIER = (value, error) -> {
        if (error != null) {
            return error instanceof IllegalArgumentException ? Verdict.IGNORED : Verdict.FAILURE;
        }
        return String.valueOf(value).startsWith("busy") ? Verdict.PUSHBACK : Verdict.SUCCESS;
    };

    /** Of the attempt with this number, from 1. */
    Step step(int number) {
        return switch (this) {
            case VALUE -> value(number, QUICK);
            case SLOW -> value(number, SLOWLY);
            case FAIL -> failure();
            case FAIL_ONCE -> number == 1 ? failure() : value(number, QUICK);
            case BUSY -> busy(number);
            case BUSY_ONCE -> number == 1 ? busy(number) : value(number, QUICK);
            case GONE -> new Step(Outcome.IGNORED, "IllegalArgumentException", QUICK, false, false);
            case ERROR -> new Step(Outcome.FAILURE, "AssertionError", QUICK, false, false);
            case MACHINE -> new Step(Outcome.FAILURE, "StackOverflowError", QUICK, false, false);
            case INTERRUPTION -> new Step(Outcome.INTERRUPTED, "InterruptedException", QUICK, false, false);
            case CANCELLATION -> new Step(Outcome.FAILURE, "CancellationException", QUICK, false, false);
            case HANG -> value(number, NEVER);
            case HANG_ONCE -> value(number, number == 1 ? NEVER : QUICK);
            case REFLAG -> new Step(Outcome.SUCCESS, "v" + number, NEVER, false, true);
            case DEAF -> new Step(Outcome.SUCCESS, "v" + number, DEAFLY, true, false);
        };
    }

    private static Step value(int number, long takes) {
        return new Step(Outcome.SUCCESS, "v" + number, takes, false, false);
    }

    private static Step failure() {
        return new Step(Outcome.FAILURE, "IOException", QUICK, false, false);
    }

    private static Step busy(int number) {
        return new Step(Outcome.PUSHBACK, "busy" + number, QUICK, false, false);
    }
}
