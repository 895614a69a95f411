/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.ConfigException;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.SafeLog;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.springframework.beans.BeansException;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.Environment;

/**
 * Reads the properties again after an {@code EnvironmentChangeEvent} of Spring Cloud, which comes from its refresh endpoint, its bus
 * and its watchers. What is refused is logged, and the last good configuration stays.
 */
final class RefreshListener implements ApplicationListener<ApplicationEvent> {
    /** By its name: Spring Cloud is not asked for. */
    private static final String CHANGED = "org.springframework.cloud.context.environment.EnvironmentChangeEvent";

    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    private final Holdfast holdfast;
    private final Environment environment;
    private final SpringSettings started;
    private final AtomicReference<SpringSettings> last;

    RefreshListener(Holdfast holdfast, Environment environment) {
        this.holdfast = holdfast;
        this.environment = environment;
        started = SpringSettings.of(environment);
        last = new AtomicReference<>(started);
    }

    @Override
    public void onApplicationEvent(ApplicationEvent event) {
        if (!event.getClass().getName().equals(CHANGED)) {
            return;
        }
        try {
            List<String> changed = holdfast.reload();
            if (!changed.isEmpty()) {
                LOG.info("configuration was read again: changed " + String.join(", ", changed));
            }
            warnOfRestart();
        } catch (ConfigException | IllegalArgumentException | BeansException wrong) {
            LOG.warnProblems("changed properties are refused, and the last good ones stay", wrong.getMessage());
        } catch (RuntimeException cannotBeRead) {
            // A source of properties is down, or code has closed the pipelines. The event is everybody's.
            LOG.warn("changed properties are not read, and the last good ones stay", cannotBeRead);
        }
    }

    /** The starter's own are read at the start alone. */
    private void warnOfRestart() {
        SpringSettings now = SpringSettings.of(environment);
        if (!now.equals(last.getAndSet(now)) && !now.equals(started)) {
            LOG.warn("properties below holdfast.spring have changed, which holds only after a restart", null);
        }
        try {
            now.check(holdfast, environment);
            now.warnOfShadow(holdfast, environment);
        } catch (WrongSettingException wrong) {
            LOG.warnProblems("the changed properties are in use, but a restart would fail", wrong.getMessage());
        }
    }
}
