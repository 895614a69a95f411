/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Numbered;
import dev.holdfast.internal.TellsState;
import dev.holdfast.internal.engine.Engine;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The states that change when a pipeline gets other policies: one goes, comes, goes into shadow or out of it, or begins anew. The last
 * change that the observers know of must not say what is over.
 */
final class StatesAcross {
    private record Seen(TellsState policy, String state) {
        boolean isOther(Seen after) {
            return policy != after.policy && !state.equals(after.state);
        }
    }

    private final Map<String, Seen> before;
    private final Map<String, Seen> after;

    /** After {@link Engine#come}: those that go, and those that come, cannot tell the pipeline of changes now. */
    StatesAcross(List<Policy> policies, List<Policy> others) {
        // Asked once: of a policy with two names, one after the other, the same is to be said.
        IdentityHashMap<TellsState, String> told = new IdentityHashMap<>();
        before = seen(policies, told);
        after = seen(others, told);
    }

    private static Map<String, Seen> seen(List<Policy> policies, IdentityHashMap<TellsState, String> told) {
        List<String> names = Numbered.names(policies);
        Map<String, Seen> seen = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            if (AroundPolicy.innermost(policies.get(i)) instanceof TellsState policy) {
                seen.put(names.get(i), new Seen(policy, told.computeIfAbsent(policy, TellsState::toldState)));
            }
        }
        return seen;
    }

    /** Before {@link Engine#begin}: then those that have come can tell of changes, which come after these. */
    void note(Engine engine) {
        before.forEach((name, was) -> {
            Seen is = after.get(name);
            if (is == null) {
                note(engine, name, was.state, was.policy.stateAtRest(), gone(name, after));
            } else if (was.isOther(is)) {
                note(engine, name, was.state, is.state, "the policy was replaced");
            }
        });
        after.forEach((name, is) -> {
            if (!before.containsKey(name)) {
                note(engine, name, is.policy.stateAtRest(), is.state, come(name, before));
            }
        });
    }

    private static void note(Engine engine, String name, String from, String to, String cause) {
        if (!from.equals(to)) {
            engine.noteChange(name, from, to, cause);
        }
    }

    private static String gone(String name, Map<String, Seen> others) {
        return moved(name, others, "the policy went into shadow", "the policy was taken out of shadow", "removed");
    }

    private static String come(String name, Map<String, Seen> others) {
        return moved(name, others, "the policy was taken out of shadow", "the policy went into shadow", "added");
    }

    private static String moved(
            String name, Map<String, Seen> others, String otherInShadow, String otherActive, String alone) {
        if (others.containsKey(name + ShadowPolicy.SUFFIX)) {
            return otherInShadow;
        }
        boolean isShadow = name.endsWith(ShadowPolicy.SUFFIX);
        return isShadow && others.containsKey(name.substring(0, name.length() - ShadowPolicy.SUFFIX.length()))
                ? otherActive
                : "the policy was " + alone;
    }
}
