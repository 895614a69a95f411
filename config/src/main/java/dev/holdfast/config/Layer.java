/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** One layer of a pipeline of the file, before its policy is made. */
interface Layer {
    /** The name of the section. */
    String key();

    /** Where it stands in the default order; empty if it has no place there. */
    OptionalInt position();

    /** What its policy is made of: two layers with the same are alike. */
    Object madeOf();

    /**
     * Whether the policy belongs to one pipeline, which keeps it as long as it is made of the same. Else the layer is asked each
     * time: the pipelines that have the policy have the same one, also if one of them has another one so far.
     */
    boolean isOwn();

    /** This layer, and one in shadow outside it if there is one. */
    default List<Layer> withShadow() {
        return List.of(this);
    }

    /** Its policy; empty if its settings are invalid, which is then reported. */
    Optional<Policy> policy(Problems problems);
}
