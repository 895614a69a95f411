/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.SafeLog;
import dev.holdfast.internal.keyed.InUse;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What is known to be wrong with a pipeline: with its order, its settings, and how it is used. Safe for any number of threads. */
final class Warnings {
    private static final int MOST_OF_USE = 100;
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    private final String pipeline;
    private final Set<String> silenced;
    private final AtomicReference<Known> known = new AtomicReference<>(new Known(List.of(), null));

    /**
     * Of the pipeline's present policies.
     *
     * @param keyedInVain names of operations that are known to have a key although no cache heeds it; null without a cache
     */
    private record Known(List<String> warnings, @Nullable Set<String> keyedInVain) {
        Known with(String warning) {
            List<String> more = new ArrayList<>(warnings);
            more.add(warning);
            return new Known(List.copyOf(more), keyedInVain);
        }
    }

    Warnings(String pipeline, Set<String> silenced) {
        this.pipeline = pipeline;
        this.silenced = Set.copyOf(silenced);
    }

    List<String> now() {
        return known.get().warnings;
    }

    boolean silences(String rule) {
        return silenced.contains(rule);
    }

    /** What is wrong with these policies. Asks policies of the user's, which may throw. */
    List<String> of(List<Policy> policies) {
        List<String> found = new ArrayList<>(OrderLint.check(pipeline, policies));
        policies.forEach(policy -> found.addAll(of(policy)));
        silence(found);
        return found;
    }

    private static List<String> of(Policy policy) {
        List<String> own = asked(policy);
        if (own == null || own.stream().anyMatch(Objects::isNull)) {
            throw new NullPointerException("warnings() of " + policy.name() + " returned " + own);
        }
        return own;
    }

    private static List<String> asked(Policy policy) {
        try {
            return policy.warnings();
        } catch (IllegalArgumentException thrown) {
            throw new IllegalArgumentException(threw(policy, thrown), thrown); // a problem of a file
        } catch (RuntimeException thrown) {
            throw new IllegalStateException(threw(policy, thrown), thrown);
        }
    }

    private static String threw(Policy policy, RuntimeException thrown) {
        return "warnings() of " + policy.name() + " threw " + thrown;
    }

    /** The pipeline has these policies now, with which this is wrong. */
    void become(List<Policy> policies, List<String> found) {
        Set<String> inVain = OrderLint.caches(policies) ? ConcurrentHashMap.newKeySet() : null;
        List<String> before = known.getAndSet(new Known(List.copyOf(found), inVain)).warnings;
        // Of an instance with a key, the pipeline of the file has told all this: there may be 10,000 instances.
        if (policies.stream().noneMatch(InUse.class::isInstance)) {
            found.stream().filter(warning -> !before.contains(warning)).forEach(this::log);
        }
    }

    /** A call of this operation has a key and is not idempotent. */
    void keyedInVain(String operation) {
        Set<String> told = known.get().keyedInVain;
        // Names are the user's and few, unless somebody makes one of each path.
        if (told != null && !told.contains(operation) && told.size() < MOST_OF_USE && told.add(operation)) {
            if (silences(OrderLint.KEY_WITHOUT_IDEMPOTENCE)) {
                return;
            }
            String warning = OrderLint.keyedInVain(operation);
            known.updateAndGet(now -> now.keyedInVain == told ? now.with(warning) : now);
            log(warning);
        }
    }

    private void silence(List<String> found) {
        if (silenced.isEmpty()) {
            return;
        }
        Set<String> rules = OrderLint.rules();
        rules.addAll(NumberLint.RULES);
        rules.addAll(TrafficLint.RULES);
        found.forEach(warning -> rules.add(rule(warning)));
        found.removeIf(warning -> silences(rule(warning)));
        silenced.stream()
                .filter(name -> !rules.contains(name))
                .forEach(name -> found.add("unknown-rule: no rule is called '" + name
                        + "', so that nothing is silenced; correct the name, or leave it out"));
    }

    private static String rule(String warning) {
        return warning.substring(0, Math.max(0, warning.indexOf(':')));
    }

    private void log(String warning) {
        LOG.warn("pipeline '" + pipeline + "': " + warning, null);
    }
}
