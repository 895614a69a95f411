/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Call;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Calls of this method of a bean go through a pipeline. It names the pipeline, and the pipeline has all policies in their order: so
 * there is no order of aspects.
 *
 * <pre>{@code
 * @Protected(value = "inventory", fallback = "unknown")
 * public Stock stock(String sku) { ... }
 *
 * Stock unknown(String sku, Throwable error) { return Stock.UNKNOWN; }
 * }</pre>
 *
 * <p>The method runs anew for each attempt. It may return a value, a {@link java.util.concurrent.CompletionStage}, a {@code Mono}
 * or a {@code Flux}, or be a suspending function of Kotlin; then nothing blocks. Everything that is named here is checked when the
 * bean is made, and a mistake ends the start.
 *
 * <p>A proxy does this. A call from inside the same bean, {@code this.stock(...)}, does not pass it; where the bean's class, a
 * superclass or an interface shows such a call, a warning says so. Private, static and final methods are refused. The proxy stands
 * outside of all other advice of the method, such as a transaction, but inside of {@code @Async}: each attempt has a transaction of
 * its own.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface Protected {
    /** The name of the pipeline; may be a placeholder. */
    String value();

    /** The name of the operation, a tag of meters. Default: the method's name. */
    String operation() default "";

    /**
     * The key of a call, for a stale cache, as an expression of Spring: {@code #sku}, {@code #order.id}. Default: all arguments.
     * With {@code ''}, two quotes in the quotes, all calls have the same key. If it is null, the call has none.
     */
    String key() default "";

    /**
     * The method that answers if the call fails: in the same class, with the same parameters and perhaps the error after them, and
     * a result that this method may return. Of several with this name, the one whose error is nearest answers. Default: none.
     *
     * <p>The pipeline needs a fallback policy, {@code fallback: { only-of-operations: true }}.
     */
    String fallback() default "";

    /** Whether the work may be done twice without harm. If not, it is retried only if it was surely not done. Default: true. */
    boolean idempotent() default true;

    /**
     * How important a call is, where permits are short; one at most. Inside of a call that is less important it is as that one.
     * Default: as the call around, or {@link Call.Priority#DEFAULT}.
     */
    Call.Priority[] priority() default {};
}
