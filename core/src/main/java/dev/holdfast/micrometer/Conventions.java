/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.micrometer.ObservationObserver.AttemptObservation;
import dev.holdfast.micrometer.ObservationObserver.CallObservation;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;
import org.jspecify.annotations.Nullable;

/**
 * The names and values of observations, unless the registry has conventions of the user's. The keys of low cardinality are
 * always the same: they become tags of meters, and some registries refuse a second set of tags for one name.
 */
final class Conventions {
    static final String ATTEMPT = "holdfast.attempt";
    static final String ATTEMPTS = "holdfast.attempts";
    static final String RESEND_COUNT = "http.request.resend_count";
    static final String STALE_AGE = "holdfast.stale.age";

    private static final String NONE = "none";
    private static final double NANOS_OF_A_SECOND = 1e9;

    private Conventions() {}

    private static String outcome(@Nullable Outcome outcome) {
        return outcome == null ? NONE : Registration.tag(outcome);
    }

    private static String name(String what, CallObservation call) {
        return call.operation().equals(NONE)
                ? what + " " + call.pipeline()
                : what + " " + call.pipeline() + " " + call.operation();
    }

    /** Of calls. */
    static final class OfCalls implements ObservationConvention<CallObservation> {
        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof CallObservation;
        }

        @Override
        public String getName() {
            return "holdfast.call";
        }

        @Override
        public String getContextualName(CallObservation call) {
            return name("call", call);
        }

        @Override
        public KeyValues getLowCardinalityKeyValues(CallObservation call) {
            return KeyValues.of(
                    "holdfast.pipeline",
                    call.pipeline(),
                    "holdfast.operation",
                    call.operation(),
                    "holdfast.background",
                    String.valueOf(call.background()),
                    "holdfast.outcome",
                    outcome(call.outcome()),
                    "holdfast.source",
                    call.outcome() == null ? NONE : Registration.tag(call.source()));
        }

        @Override
        public KeyValues getHighCardinalityKeyValues(CallObservation call) {
            if (call.outcome() == null) {
                return KeyValues.empty();
            }
            KeyValues values = KeyValues.of(ATTEMPTS, String.valueOf(call.attempts()));
            boolean stale = call.source() == Source.STALE_REVALIDATING || call.source() == Source.STALE_ON_ERROR;
            return stale ? values.and(STALE_AGE, String.valueOf(call.age().toNanos() / NANOS_OF_A_SECOND)) : values;
        }
    }

    /** Of attempts. */
    static final class OfAttempts implements ObservationConvention<AttemptObservation> {
        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof AttemptObservation;
        }

        @Override
        public String getName() {
            return "holdfast.attempt";
        }

        @Override
        public String getContextualName(AttemptObservation attempt) {
            return name("attempt", attempt.call());
        }

        @Override
        public KeyValues getLowCardinalityKeyValues(AttemptObservation attempt) {
            return KeyValues.of(
                    "holdfast.pipeline",
                    attempt.call().pipeline(),
                    "holdfast.operation",
                    attempt.call().operation(),
                    "holdfast.hedge",
                    String.valueOf(attempt.hedge()),
                    "holdfast.outcome",
                    outcome(attempt.outcome()));
        }

        @Override
        public KeyValues getHighCardinalityKeyValues(AttemptObservation attempt) {
            KeyValues values = KeyValues.of(ATTEMPT, String.valueOf(attempt.number()));
            if (attempt.number() > 1) {
                values = values.and(RESEND_COUNT, String.valueOf(attempt.number() - 1));
            }
            return attempt.left() ? values.and("holdfast.left", "true") : values;
        }
    }
}
