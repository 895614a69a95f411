/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the policies of one pipeline are called in it: their kinds; the second of a kind is {@code throttle-2}. */
public final class Numbered {
    private Numbered() {}

    /** In the order of the policies. */
    public static List<String> names(List<Policy> policies) {
        Map<String, Integer> kinds = new HashMap<>();
        List<String> names = new ArrayList<>(policies.size());
        for (Policy policy : policies) {
            int number = kinds.merge(policy.name(), 1, Integer::sum);
            names.add(number == 1 ? policy.name() : policy.name() + "-" + number);
        }
        return names;
    }
}
