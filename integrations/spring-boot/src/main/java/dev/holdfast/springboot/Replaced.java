/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.SpringProxy;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.factory.config.SingletonBeanRegistry;

/**
 * Refuses an object with {@link Protected} that another post-processor has put in place of a bean without it, after {@link
 * ProtectedBeans} has seen the bean: its methods would run unprotected. Of a bean that has its proxy, nobody knows whether what stands
 * in its place calls the proxy, as a decorator or a spy of a test does.
 */
final class Replaced {
    /** The beans without a proxy of ours, by their names; null after the start. */
    private volatile @Nullable Map<String, Object> seen = new ConcurrentHashMap<>();

    void see(String name, Object bean) {
        Map<String, Object> all = seen;
        if (all != null) {
            all.put(name, bean);
        }
    }

    /** At the end of the start. What nobody has seen is registered and not made, such as a mock of a test. */
    void refuse(SingletonBeanRegistry beans, Predicate<Advised> isOurs) {
        Map<String, Object> all = seen;
        seen = null;
        if (all != null) {
            all.forEach((name, bean) -> {
                Object now = beans.getSingleton(name);
                if (now != null && now != bean && !mayHaveOurs(now, isOurs)) {
                    refuse(name, ProtectedBeans.anyProtected(now));
                }
            });
        }
    }

    private static void refuse(String name, @Nullable Method method) {
        if (method != null) {
            throw new WrongSettingException("@Protected on " + method
                            + ": a BeanPostProcessor has put the object in place of the bean '" + name
                            + "' when the beans had their"
                            + " proxies already, and the method would run unprotected; expected a BeanPostProcessor that"
                            + " comes before: one that is Ordered, with 0, say")
                    .of(name);
        }
    }

    /** A proxy that is opaque, or whose target changes, does not show what is behind it. */
    private static boolean mayHaveOurs(Object bean, Predicate<Advised> isOurs) {
        Object each = bean;
        while (each instanceof Advised proxy) {
            if (isOurs.test(proxy) || !proxy.getTargetSource().isStatic()) {
                return true;
            }
            each = AopProxyUtils.getSingletonTarget(proxy);
        }
        return each instanceof SpringProxy;
    }
}
