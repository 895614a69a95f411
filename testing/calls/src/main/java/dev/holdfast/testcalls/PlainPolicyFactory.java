/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.util.List;
import java.util.function.Supplier;

/** A factory whose builder knows nothing and checks nothing. */
public class PlainPolicyFactory implements PolicyFactory<Object> {
    private final String key;
    private final int position;
    private final Supplier<Policy> made;
    private final List<Option<Object, ?>> options;

    /** Makes what the supplier gives, without options. */
    public PlainPolicyFactory(String key, int position, Supplier<Policy> made) {
        this(key, position, made, List.of());
    }

    /** Makes what the supplier gives. */
    public PlainPolicyFactory(String key, int position, Supplier<Policy> made, List<Option<Object, ?>> options) {
        this.key = key;
        this.position = position;
        this.made = made;
        this.options = options;
    }

    @Override
    public String key() {
        return key;
    }

    @Override
    public Object builder() {
        return new Object();
    }

    @Override
    public List<Option<Object, ?>> options() {
        return options;
    }

    @Override
    public Policy create(Object builder) {
        return made.get();
    }

    @Override
    public int position() {
        return position;
    }
}
