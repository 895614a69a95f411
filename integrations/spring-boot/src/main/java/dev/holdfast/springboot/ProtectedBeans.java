/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.Named;
import dev.holdfast.internal.SafeLog;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.SpringProxy;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopConfigException;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.framework.autoproxy.AbstractBeanFactoryAwareAdvisingPostProcessor;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.BeanCurrentlyInCreationException;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.AutowireCapableBeanFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.beans.factory.config.SingletonBeanRegistry;
import org.springframework.core.BridgeMethodResolver;
import org.springframework.core.DecoratingProxy;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.scheduling.annotation.AsyncAnnotationAdvisor;
import org.springframework.util.ClassUtils;

/**
 * Puts a proxy around each bean that has a method with {@link Protected}, outside of all its advice but {@code @Async} and {@linkplain
 * Guards guards}: first the proxy, before those that note the bean as they find it ({@code @KafkaListener}), and then its advice to
 * its {@linkplain InPlace place}.
 */
final class ProtectedBeans extends AbstractBeanFactoryAwareAdvisingPostProcessor implements SmartInitializingSingleton {
    private static final Pointcut PROTECTED = new ProtectedMethods();
    private static final long serialVersionUID = 1L;
    private static final String STALE_CACHE = "stale-cache";
    private static final SafeLog LOG = SafeLog.of(Protected.class.getName());

    /** The protected methods of the interfaces of a class. */
    private static final ClassValue<List<Method>> OF_INTERFACES = new ClassValue<>() {
        @Override
        protected List<Method> computeValue(Class<?> type) {
            return methodsOfInterfaces(type).filter(ProtectedBeans::isProtected).toList();
        }
    };

    private final transient Supplier<@Nullable Holdfast> holdfast;
    private final transient Function<Pipeline, Classifier> classifiers;
    private final transient Advisor own;
    private final transient Map<Key, ProtectedMethod> methods = new ConcurrentHashMap<>();

    private final transient Singletons singletons = new Singletons();
    private final transient Replaced replaced = new Replaced();
    private final transient Set<String> warned = ConcurrentHashMap.newKeySet();
    private final transient Set<Class<?>> warnedClasses = ConcurrentHashMap.newKeySet();
    /** By the class of a bean and that behind its proxy. */
    private final transient Map<List<Class<?>>, Set<Method>> found = new ConcurrentHashMap<>();

    private transient @Nullable BeanFactory beans;
    private transient @Nullable InPlace inPlace;
    private transient @Nullable ConfigurableBeanFactory placeholders;

    /** A method as a class has it, which may be below the one that declares it. */
    private record Key(Class<?> type, Method method) {}

    ProtectedBeans(Supplier<@Nullable Holdfast> holdfast, Function<Pipeline, Classifier> classifiers) {
        this.holdfast = holdfast;
        this.classifiers = classifiers;
        own = new DefaultPointcutAdvisor(PROTECTED, (MethodInterceptor) invocation -> {
            // A proxy with nothing behind it, such as a client that Spring makes of an interface, is the bean
            // itself.
            Object proxy = ((ProxyMethodInvocation) invocation).getProxy();
            Object target = invocation.getThis();
            Object bean = target == null ? proxy : target;
            Method called = invocation.getMethod();
            return method(having(called, AopUtils.getTargetClass(bean), proxy), called)
                    .invoke(invocation, singletons.token(bean));
        });
        advisor = own;
        // Those of listeners come last, and among them the application's before a starter's.
        setOrder(Ordered.LOWEST_PRECEDENCE - 10);
        setBeforeExistingAdvisors(true);
    }

    @Override
    public void setBeanFactory(BeanFactory factory) {
        super.setBeanFactory(factory);
        beans = factory;
        inPlace = new InPlace(own, factory);
        placeholders = factory instanceof ConfigurableBeanFactory configurable ? configurable : null;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        Object proxy = proxied(bean, name);
        boolean isAdvised = isAdvised(proxy);
        if (!isAdvised) {
            replaced.see(name, proxy);
        }
        Set<Method> missed =
                isAdvised || isOfAnother(bean) || name.endsWith(AutowireCapableBeanFactory.ORIGINAL_INSTANCE_SUFFIX)
                        ? Set.of()
                        : protectedMethods(bean, behind(bean));
        if (!missed.isEmpty()) {
            throw new WrongSettingException("@Protected on " + missed.iterator().next()
                            + ": the bean is a proxy that takes no advice for it, since it"
                            + " is frozen, opaque or around another proxy, so that the method would run unprotected;"
                            + " expected a bean without a proxy of its own, or one whose interface has the annotation")
                    .of(name);
        }
        // Also at once: what another post-processor puts around the proxy may hide it.
        inPlace().putInto(proxy);
        return proxy;
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (beans instanceof SingletonBeanRegistry registry) {
            replaced.refuse(registry, ProtectedBeans::hasPipeline);
        }
    }

    /** Also that of a parent context. */
    private static boolean hasPipeline(Advised proxy) {
        return Stream.of(proxy.getAdvisors())
                .anyMatch(advisor -> advisor instanceof PointcutAdvisor of && of.getPointcut() == PROTECTED);
    }

    /** Puts the advice into its place once more, when each bean has all of its proxies. */
    InPlace inPlace() {
        return Objects.requireNonNull(inPlace, "inPlace");
    }

    /** Also if ours stands behind another one. */
    private boolean isAdvised(Object bean) {
        for (Object each = bean; each instanceof Advised proxy; each = AopProxyUtils.getSingletonTarget(proxy)) {
            if (proxy.indexOf(own) >= 0) {
                return true;
            }
        }
        return false;
    }

    /** A second pipeline around would be around the guards of the first one, too. */
    private boolean isAdvisedBehind(Object proxy, Set<Method> all) {
        Object target = AopProxyUtils.getSingletonTarget(proxy);
        return target != null
                && isAdvised(target)
                && all.stream().allMatch(method -> method.getDeclaringClass().isInstance(target));
    }

    /** The class behind all proxies, also if they do not show each other. */
    private static Class<?> behind(Object bean) {
        return bean instanceof DecoratingProxy proxy
                ? proxy.getDecoratedClass()
                : AopProxyUtils.ultimateTargetClass(bean);
    }

    /** Whether it is the proxy of a scope: its target is a bean itself. */
    private static boolean isOfAnother(Object bean) {
        return bean instanceof AopInfrastructureBean;
    }

    /** One of the protected methods of a bean; null if it has none, or another bean has them. */
    static @Nullable Method anyProtected(Object bean) {
        if (isOfAnother(bean)) {
            return null;
        }
        return Stream.of(behind(bean), bean.getClass())
                .flatMap(ProtectedBeans::selected)
                .findFirst()
                .orElse(null);
    }

    /** Whether beans of this type have a protected method; those of a subclass may have more. */
    static boolean hasProtected(Class<?> type) {
        return selected(type).findAny().isPresent();
    }

    private static Stream<Method> selected(Class<?> type) {
        return Stream.concat(
                MethodIntrospector.selectMethods(type, ProtectedBeans::isProtected).stream(),
                OF_INTERFACES.get(type).stream());
    }

    private Object proxied(Object bean, String name) {
        Class<?> type = AopUtils.getTargetClass(bean);
        Set<Method> all = protectedMethods(bean, type);
        if (all.isEmpty()) {
            return bean;
        }
        check(type, bean, all, name);
        if (bean instanceof Advised advised && (advised.indexOf(own) >= 0 || isAdvisedBehind(bean, all))) {
            return bean; // under another name, or another proxy around a bean
        }
        if (bean instanceof Advised advised && !advised.isFrozen() && !isEligible(type)) {
            // The annotation is in an interface that the proxy has and its target has not, as that of a repository.
            advised.addAdvisor(0, own);
            return bean;
        }
        try {
            return super.postProcessAfterInitialization(bean, name);
        } catch (AopConfigException noProxy) {
            throw new WrongSettingException("@Protected on " + all.iterator().next() + ": " + why(type, all), noProxy)
                    .of(name);
        }
    }

    /**
     * Moves the advice, as the last one: by then the proxy has that of the others. It has no order, since those with one come
     * before: that of method validation has the last one.
     */
    static final class InPlace implements BeanPostProcessor {
        private final Advisor own;
        private final BeanFactory beans;
        /** Null: no guard asks for it. */
        private final @Nullable Advisor eachSubscription;

        private InPlace(Advisor own, BeanFactory beans) {
            this.own = own;
            this.beans = beans;
            eachSubscription =
                    Guards.areReactive(beans) ? new DefaultPointcutAdvisor(PROTECTED, new EachSubscription()) : null;
        }

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            Advised found = putInto(bean);
            if (found != null) {
                refuseInside(found, name);
            }
            return bean;
        }

        /** Into this proxy, or one behind it; returns the one that has the advice, null if none has. */
        private @Nullable Advised putInto(Object bean) {
            for (Object each = bean; each instanceof Advised proxy; each = AopProxyUtils.getSingletonTarget(proxy)) {
                if (!proxy.isFrozen() && proxy.indexOf(own) >= 0) {
                    place(proxy);
                    callForEachSubscription(proxy);
                    return proxy;
                }
            }
            return null;
        }

        /**
         * Outside of the other advice: each attempt is a whole one. But it is the work, and not its hand-over to an executor. If that
         * post-processor comes later, it puts itself outside. And a call that is refused before the work is none: its caller must
         * get no answer of a cache or a fallback, and no breaker counts it. Spring adds its validation as the innermost; so it is
         * moved, too, but never inwards: it may be there for other advice.
         */
        private void place(Advised proxy) {
            List<Advisor> all = List.of(proxy.getAdvisors());
            List<Advisor> placed = new ArrayList<>(all);
            placed.remove(own);
            int at = placed.size();
            while (at > 0 && !isOutside(placed.get(at - 1))) {
                at--;
            }
            List<Advisor> inside = placed.subList(at, placed.size());
            List<Advisor> moved = new ArrayList<>(inside.stream()
                    .filter(one -> Guards.isValidation(one, beans))
                    .toList());
            inside.removeAll(moved);
            moved.add(own);
            placed.addAll(at, moved);
            // A bean under another name may have its calls already.
            if (!placed.equals(all)) {
                moved.forEach(proxy::removeAdvisor);
                for (Advisor one : moved) {
                    proxy.addAdvisor(at++, one);
                }
            }
        }

        /** Just outside of the first guard: what stands before it is called when the method is. */
        private void callForEachSubscription(Advised proxy) {
            if (eachSubscription == null || proxy.indexOf(eachSubscription) >= 0) {
                return;
            }
            Advisor[] all = proxy.getAdvisors();
            for (int i = 0; i < all.length; i++) {
                if (Guards.isAuthorization(all[i], beans)) {
                    proxy.addAdvisor(i, eachSubscription);
                    return;
                }
            }
        }

        /** Of a proxy behind this one, which nobody can move. An opaque one does not show what it has. */
        private void refuseInside(Advised proxy, String name) {
            if (isGuarded(proxy)) {
                return; // Spring Security's own proxy
            }
            Object each = Guards.mayBeThere() ? AopProxyUtils.getSingletonTarget(proxy) : null;
            while (each instanceof SpringProxy) {
                boolean isOpaque = !(each instanceof Advised);
                if (isOpaque || isGuarded((Advised) each)) {
                    throw new WrongSettingException(
                                    "@Protected on " + Objects.requireNonNullElse(anyProtected(each), "a method")
                                            + ": the bean is around a proxy that "
                                            + (isOpaque
                                                    ? "is opaque, so that nobody sees whether it has authorization"
                                                    : "has authorization")
                                            + ": refused calls would get answers of the pipeline; expected a bean without a proxy of"
                                            + " its own, and @EnableMethodSecurity for it")
                            .of(name);
                }
                each = AopProxyUtils.getSingletonTarget(each);
            }
        }

        private boolean isGuarded(Advised proxy) {
            return Stream.of(proxy.getAdvisors()).anyMatch(advisor -> Guards.isAuthorization(advisor, beans));
        }

        private boolean isOutside(Advisor advisor) {
            return advisor instanceof AsyncAnnotationAdvisor || Guards.isAuthorization(advisor, beans);
        }
    }

    /** Those of this bean, looked for once in each class. */
    private Set<Method> protectedMethods(Object bean, Class<?> type) {
        boolean isJdkProxy = Proxy.isProxyClass(bean.getClass());
        if (!isJdkProxy && !isEligible(type)) {
            return Set.of();
        }
        return found.computeIfAbsent(List.of(bean.getClass(), type), any -> {
            Set<Method> all = new LinkedHashSet<>();
            for (Class<?> seen : isJdkProxy ? List.of(type, bean.getClass()) : List.of(type)) {
                selected(seen).forEach(method -> all.add(specific(method, having(method, type, bean))));
            }
            return all;
        });
    }

    /** The class that has a method, and says what its type variables stand for: the bean's, or that of its proxy alone. */
    private static Class<?> having(Method method, Class<?> type, Object proxy) {
        return method.getDeclaringClass().isAssignableFrom(type) ? type : proxy.getClass();
    }

    private static boolean isProtected(Method method) {
        return AnnotatedElementUtils.hasAnnotation(method, Protected.class);
    }

    /** As the bean's class has it, unless the annotation is only seen on that of an interface. */
    static Method specific(Method method, Class<?> type) {
        Method specific = Proxy.isProxyClass(type) ? method : AopUtils.getMostSpecificMethod(method, type);
        // A bridge to an inherited method sees the annotation of the interface, and that method does not.
        Method bridged = BridgeMethodResolver.findBridgedMethod(method);
        return BridgeMethodResolver.findBridgedMethod(
                isProtected(specific) ? specific : isProtected(bridged) ? bridged : ofInterface(specific, type));
    }

    /** A class may inherit a method from one that knows nothing of the interface with the annotation. */
    private static Method ofInterface(Method method, Class<?> type) {
        return Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())
                ? OF_INTERFACES.get(type).stream()
                        .filter(other -> FallbackMethods.isAlike(other, method, type))
                        .findFirst()
                        .orElse(method)
                : method;
    }

    /** Also those that Spring's own pointcut does not see: a class inherits them, and only an interface has the annotation. */
    private static final class ProtectedMethods extends StaticMethodMatcherPointcut {
        ProtectedMethods() {
            setClassFilter(type -> AnnotationUtils.isCandidateClass(type, Protected.class));
        }

        @Override
        public boolean matches(Method method, Class<?> type) {
            return isProtected(specific(method, type));
        }
    }

    /** What is wrong is told at the start, and not with the first call. */
    private void check(Class<?> type, Object bean, Set<Method> all, String name) {
        List<ProtectedMethod> made;
        try {
            made = all.stream()
                    .map(method -> method(having(method, type, bean), method))
                    .toList();
        } catch (IllegalArgumentException wrong) {
            throw new BeanCreationException(name, String.valueOf(wrong.getMessage()), wrong);
        }
        if (warnedClasses.add(type)) {
            OwnCalls.warn(type, all);
            made.forEach(ProtectedMethod::warnOfFallbacks);
            made.forEach(method -> method.warnOfFilter(STALE_CACHE));
        }
        boolean isSingleton = noteSingleton(bean, name);
        if (!isSingleton && made.stream().anyMatch(method -> method.isKeptWith(STALE_CACHE)) && warned.add(name)) {
            LOG.warn(
                    "bean '" + name + "' is no singleton: answers of its methods with @Protected are not kept by the "
                            + STALE_CACHE + ", since those of another instance may differ",
                    null);
        }
    }

    private String why(Class<?> type, Set<Method> all) {
        if (!ClassUtils.isVisible(type, getProxyClassLoader())) {
            return "the class can have no proxy: its class loader is " + type.getClassLoader()
                    + ", and that of the proxies, " + getProxyClassLoader() + ", does not see it";
        }
        if (!Modifier.isFinal(type.getModifiers())) {
            return "the class can have no proxy";
        }
        boolean areOfInterfaces = all.stream()
                .allMatch(method -> ClassUtils.getInterfaceMethodIfPossible(method, type)
                        .getDeclaringClass()
                        .isInterface());
        return "the class is final, so that it can have no proxy; expected one that is not"
                + (areOfInterfaces
                        ? ", or spring.aop.proxy-target-class=false, with which beans are injected by their interfaces"
                        : "");
    }

    /** Notes the object that calls will reach, if there is one of it. Returns whether there is. */
    private boolean noteSingleton(Object bean, String name) {
        try {
            if (beans == null || !beans.isSingleton(name)) {
                return false;
            }
            boolean proxied =
                    bean instanceof Advised advised && advised.getTargetSource().isStatic();
            Object target = proxied ? ((Advised) bean).getTargetSource().getTarget() : bean;
            singletons.add(target == null ? bean : target);
            return true;
        } catch (Exception unknown) {
            // A bean of no definition, of which there may be more.
            return false;
        }
    }

    private ProtectedMethod method(Class<?> type, Method called) {
        Key key = new Key(type, called);
        ProtectedMethod known = methods.get(key);
        if (known == null) {
            Method specific = specific(called, type);
            Key own = new Key(type, specific);
            known = methods.get(own);
            if (known == null) {
                // Not within computeIfAbsent: it may make the pipelines, and beans that they need.
                ProtectedMethod made = made(specific, type);
                ProtectedMethod before = methods.putIfAbsent(own, made);
                known = before == null ? made : before;
            }
            methods.put(key, known);
        }
        return known;
    }

    /** From the start on, also if beans of this type are made later. */
    void keepOf(Class<?> type) {
        try {
            selected(type).forEach(method -> keepOf(specific(method, type), type));
        } catch (IllegalStateException | LinkageError unseen) {
            // A class that it needs is not there. That is told when a bean of the type is made.
        }
    }

    private void keepOf(Method method, Class<?> type) {
        try {
            Named.keep(
                    pipeline(resolved(said(method, type).value())),
                    "@Protected on " + method + " names it, and the bean could not be made after a restart");
        } catch (IllegalArgumentException wrong) {
            // As with all of its mistakes, that is told when a bean of the type is made.
        }
    }

    private ProtectedMethod made(Method method, Class<?> type) {
        try {
            Protected said = said(method, type);
            checkVisible(method, type);
            Pipeline pipeline = pipeline(resolved(said.value()));
            ProtectedMethod made = new ProtectedMethod(method, type, said, pipeline, classifiers.apply(pipeline));
            Named.keep(pipeline, "@Protected on " + method + " names it, and a restart would fail");
            return made;
        } catch (IllegalArgumentException wrong) {
            throw new WrongSettingException("@Protected on " + method + ": " + wrong.getMessage(), wrong);
        }
    }

    /** The nearest. Of two that stand beside each other, as in two interfaces, neither counts more. */
    private static Protected said(Method method, Class<?> type) {
        List<MergedAnnotation<Protected>> all = Stream.concat(Stream.of(method), alike(method, type))
                .flatMap(each -> MergedAnnotations.from(each, SearchStrategy.TYPE_HIERARCHY).stream(Protected.class))
                .toList();
        List<MergedAnnotation<Protected>> nearest = all.stream()
                .filter(one -> all.stream().noneMatch(other -> isBelow(home(other), home(one))))
                .toList();
        if (nearest.isEmpty()) {
            throw new IllegalArgumentException(
                    "the annotation is on a method that this one does not override; expected it on this one");
        }
        MergedAnnotation<Protected> first = nearest.get(0);
        nearest.stream()
                .filter(other ->
                        !home(other).equals(home(first)) && !other.synthesize().equals(first.synthesize()))
                .findFirst()
                .ifPresent(other -> {
                    throw new IllegalArgumentException(home(first).getName() + " and "
                            + home(other).getName() + " both have the annotation on this method, and say different"
                            + " things; expected the annotation on the method that overrides both");
                });
        return first.synthesize();
    }

    /** No method of the class overrides those of its interfaces. */
    private static Stream<Method> alike(Method method, Class<?> type) {
        return method.getDeclaringClass().isInterface()
                ? methodsOfInterfaces(type).filter(other -> FallbackMethods.isAlike(other, method, type))
                : Stream.empty();
    }

    /** Without the bodies that Kotlin's compiler puts beside suspending functions, with their annotations: {@code a$suspendImpl}. */
    private static Stream<Method> methodsOfInterfaces(Class<?> type) {
        return ClassUtils.getAllInterfacesForClassAsSet(type).stream()
                .flatMap(each -> Stream.of(each.getMethods()))
                .filter(method -> !(method.isSynthetic() && Modifier.isStatic(method.getModifiers())));
    }

    private static Class<?> home(MergedAnnotation<Protected> annotation) {
        return ((Method) Objects.requireNonNull(annotation.getSource(), "source")).getDeclaringClass();
    }

    private static boolean isBelow(Class<?> one, Class<?> other) {
        return one != other && other.isAssignableFrom(one);
    }

    private static void checkVisible(Method method, Class<?> type) {
        int modifiers = method.getModifiers();
        if (Modifier.isPrivate(modifiers) || Modifier.isStatic(modifiers) || Modifier.isFinal(modifiers)) {
            throw new IllegalArgumentException(
                    "the method is " + Modifier.toString(modifiers)
                            + ", so that no proxy sees its calls; expected one that a subclass could override: not private, static or final");
        }
        String home = method.getDeclaringClass().getPackageName();
        if (!Modifier.isPublic(modifiers) && !Modifier.isProtected(modifiers) && !home.equals(type.getPackageName())) {
            throw new IllegalArgumentException("the method is visible in " + home + " alone, and the bean's "
                    + type.getName() + " is in another package, so that no proxy sees its calls; expected one that is"
                    + " public or protected");
        }
    }

    /** A name may be a placeholder. */
    private String resolved(String name) {
        String resolved = placeholders == null ? name : placeholders.resolveEmbeddedValue(name);
        return resolved == null ? name : resolved;
    }

    private Pipeline pipeline(String name) {
        Holdfast all;
        try {
            all = holdfast.get();
        } catch (BeanCreationException early) {
            if (!early.contains(BeanCurrentlyInCreationException.class)) {
                throw early;
            }
            throw new IllegalArgumentException(
                    "the pipeline '" + name + "' is not made yet. Either a bean that the pipelines need to be made"
                            + " needs this one: one that the configuration names, a CallObserver or a"
                            + " HoldfastCustomizer. It may have an ObjectProvider of this one. Or this one, or another"
                            + " one that needs it, is made in the background. It needs @DependsOn(\"holdfast\")."
                            + " Spring says: "
                            + early.getMostSpecificCause().getMessage(),
                    early);
        }
        if (all == null) {
            throw new IllegalArgumentException("no pipeline '" + name
                    + "'; the application has no property below holdfast.pipelines; is their profile active?");
        }
        return PipelineBeans.named(all::pipeline, name);
    }
}
