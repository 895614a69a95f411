/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

/**
 * In what an experiment differs from its source.
 *
 * @param load how many times as many calls arrive, at a dependency that can do so many times as much
 * @param times how many times as long the dependency takes for one request
 * @param timeout how long a client waits for an attempt, in seconds; 0: as the experiment has it, or the client's default
 * @param servers how many queues the dependency has; a balancer that sees none of them sends each request to any one of them
 * @param drops whether the dependency drops a request without work if its deadline leaves too little time for it when its turn
 *     comes
 */
record Variation(double load, double times, double timeout, int servers, boolean drops) {
    static final Variation NONE = new Variation(1, 1, 0, 1, false);

    Variation load(double factor) {
        return new Variation(factor, times, timeout, servers, drops);
    }

    Variation times(double factor) {
        return new Variation(load, factor, timeout, servers, drops);
    }

    Variation timeout(double seconds) {
        return new Variation(load, times, seconds, servers, drops);
    }

    Variation servers(int number) {
        return new Variation(load, times, timeout, number, drops);
    }

    Variation dropping() {
        return new Variation(load, times, timeout, servers, true);
    }
}
