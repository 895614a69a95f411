/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.Locale;
import java.util.function.Function;

/** The experiments by the names that the command line knows them under. */
enum Experiment {
    RETRY_COLLAPSE("five seconds of twice the load, on a service that gets slower with load"),
    LOST_NETWORK("ten seconds without a network, before a database near its limit"),
    LOST_CACHE("a lost cache, before a database that lives by it"),
    HANG("ten seconds in which a quarter of the requests hang, in a service of 16 workers"),
    RETRY_CURVE("load and success of rules for retries, by failure rate"),
    BACKOFF_JITTER("clients that contend for one row, by jitter");

    private final String about;

    Experiment(String about) {
        this.about = about;
    }

    String about() {
        return about;
    }

    /**
     * Runs it.
     *
     * @param holdfast makes the client with Holdfast, where there is a choice
     */
    Findings run(long seed, Function<World, Client> holdfast) {
        return switch (this) {
            case RETRY_COLLAPSE -> RetryCollapse.findings(seed, holdfast);
            case LOST_NETWORK -> LostNetwork.findings(seed, holdfast);
            case LOST_CACHE -> LostCache.findings(seed, holdfast);
            case HANG -> Hang.findings(seed, holdfast);
            case RETRY_CURVE -> RetryCurve.findings(seed);
            case BACKOFF_JITTER -> BackoffJitter.findings(seed);
        };
    }

    /** As it is given on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
