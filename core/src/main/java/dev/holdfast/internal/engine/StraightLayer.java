/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Policy;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/** One layer of a {@link StraightWay}: the template of its hidden classes, never used as it is. */
final class StraightLayer extends StraightWay {
    // Static and final, so that the compiler takes them for constants.
    private static final Layer LAYER = classData();
    private static final int INDEX = LAYER.index();
    private static final Policy POLICY = LAYER.policy();
    private static final boolean ENTERS = (POLICY.hears() & Policy.ENTER) != 0;
    private static final boolean SETTLES = (POLICY.hears() & Policy.SUCCESS) != 0;
    private static final boolean ENDS = (POLICY.hears() & Policy.ENDED) != 0;
    private static final @Nullable StraightWay NEXT = LAYER.next();

    private static Layer classData() {
        try {
            return MethodHandles.classData(MethodHandles.lookup(), ConstantDescs.DEFAULT_NAME, Layer.class);
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    int enter(CallState call) {
        if (ENTERS) {
            call.cursor = INDEX;
            int decision = POLICY.enter(call);
            if (decision != 0 || call.forks != null) {
                return decision;
            }
        }
        return NEXT == null ? 0 : NEXT.enter(call);
    }

    @Override
    int settle(CallState call) {
        if (NEXT != null) {
            int decision = NEXT.settle(call);
            if (decision != 0) {
                return decision;
            }
        }
        if (SETTLES || ENDS) {
            call.cursor = INDEX;
            call.leaveScopes(INDEX);
        }
        if (SETTLES) {
            int decision = POLICY.settle(call);
            if (call.forks != null) {
                LAYER.walk().startForks(call);
            }
            if (decision != 0) {
                return decision;
            }
        }
        if (ENDS) {
            end(call);
        }
        return 0;
    }

    private static void end(CallState call) {
        try {
            POLICY.ended(call);
        } catch (Throwable thrown) {
            LAYER.walk().hooks.endedThrew(INDEX, thrown);
        }
    }
}
