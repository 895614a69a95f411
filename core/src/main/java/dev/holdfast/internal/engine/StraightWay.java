/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Policy;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/**
 * The walk of a call that no policy holds up: down through every layer, and up again after a success. It does what
 * {@link Walk} does for such a call, and stops where a policy decides anything else.
 *
 * <p>Each layer of each pipeline gets a hidden class of its own, made from {@link StraightLayer}, in which the policy and
 * the next layer are constants. So the compiler sees one pipeline's policies in a row and can put them into one piece of
 * code, however many other pipelines there are; in a loop over an array every policy costs two calls that it cannot see
 * through.
 */
abstract class StraightWay {

    /** What a layer's class is made with. */
    record Layer(int index, Policy policy, @Nullable StraightWay next, Walk walk) {}

    /**
     * Enters this layer and all further in.
     *
     * @return 0, or what the layer of the call's cursor decided; also 0 if that layer forked
     */
    abstract int enter(CallState call);

    /** Settles all layers further in and this one: 0, or what the layer of the call's cursor decided. */
    abstract int settle(CallState call);

    /** The outermost layer; null where no hidden class can be made (a native image), and without any layer. */
    static @Nullable StraightWay through(Plan plan, Walk walk) {
        try (InputStream template = StraightWay.class.getResourceAsStream("StraightLayer.class")) {
            if (template == null) {
                return null;
            }
            byte[] bytes = template.readAllBytes();
            StraightWay next = null;
            for (int i = plan.layers - 1; i >= 0; i--) {
                next = made(bytes, new Layer(i, plan.policy(i), next, walk));
            }
            return next;
        } catch (IOException | ReflectiveOperationException | RuntimeException | LinkageError notHere) {
            return null;
        }
    }

    private static StraightWay made(byte[] bytes, Layer layer) throws ReflectiveOperationException {
        return (StraightWay) MethodHandles.lookup()
                .defineHiddenClassWithClassData(bytes, layer, true)
                .lookupClass()
                .getDeclaredConstructor()
                .newInstance();
    }
}
