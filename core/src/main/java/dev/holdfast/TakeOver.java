/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Owners;
import dev.holdfast.internal.change.Successor;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/** What new policies of a pipeline take over from those that are not there any more. */
final class TakeOver {
    private TakeOver() {}

    /** Each policy that is new takes over from the one of its kind that is not there any more. */
    static void between(Pipeline pipeline, List<Policy> allBefore, List<Policy> allAfter) {
        List<Policy> before = AroundPolicy.behind(allBefore);
        List<Policy> after = AroundPolicy.behind(allAfter);
        List<Policy> left = new ArrayList<>(before);
        after.forEach(left::remove);
        List<Policy> begun = new ArrayList<>(after);
        begun.removeAll(before);
        takeOver(pipeline, begun, left, (policy, previous) -> previous.name().equals(policy.name()));
        // One that was in shadow, or goes into shadow as it is.
        takeOver(
                pipeline,
                begun,
                left,
                (policy, previous) -> policy != ShadowPolicy.inside(policy)
                        ? ShadowPolicy.inside(policy) == previous
                        : policy.name().equals(ShadowPolicy.inside(previous).name()));
        // One that goes into shadow in the place of an active one hears of it, and begins anew: it must not have the
        // permits and the queue of calls that have begun.
        takeOver(
                pipeline,
                begun,
                left,
                (policy, previous) -> policy instanceof ShadowPolicy
                        && ShadowPolicy.inside(policy).name().equals(previous.name()));
        after.forEach(policy -> Owners.uses(ShadowPolicy.inside(policy), pipeline.identity));
    }

    private static void takeOver(
            Pipeline pipeline, List<Policy> begun, List<Policy> left, BiPredicate<Policy, Policy> isSame) {
        begun.removeIf(policy -> {
            Optional<Policy> found = left.stream()
                    .filter(previous -> isSame.test(policy, previous))
                    .findFirst();
            found.ifPresent(previous -> {
                left.remove(previous);
                if (Owners.mayTakeOver(ShadowPolicy.inside(policy), ShadowPolicy.inside(previous), pipeline.identity)) {
                    Successor.takeOver(pipeline.name(), policy, previous);
                }
            });
            return found.isPresent();
        });
    }
}
