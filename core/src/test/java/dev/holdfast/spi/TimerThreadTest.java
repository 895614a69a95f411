/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.Constructor;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** The thread of the system's timers belongs to no application, though one of them has started it. */
class TimerThreadTest {
    private static final String STARTER = TimerThreadTest.class.getName() + "$Starter";

    /** A class of an application that sets a timer of this time. */
    public static final class Starter implements Runnable {
        private final TimeSource time;
        private final Runnable task;

        /** Of this task. */
        public Starter(TimeSource time, Runnable task) {
            this.time = time;
            this.task = task;
        }

        @Override
        public void run() {
            time.schedule(0, task);
        }
    }

    /** As of an application in a container: has a {@link Starter} of its own. */
    private static final class OfApplication extends ClassLoader {
        OfApplication() {
            super(TimerThreadTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            return name.equals(STARTER) ? starter() : super.loadClass(name, resolve);
        }

        private Class<?> starter() {
            try (InputStream source = getResourceAsStream(STARTER.replace('.', '/') + ".class")) {
                byte[] bytes = source.readAllBytes();
                CodeSource from = new CodeSource(null, (Certificate[]) null);
                return defineClass(STARTER, bytes, 0, bytes.length, new ProtectionDomain(from, null, this, null));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private final SystemTime time = new SystemTime();
    private final CompletableFuture<Thread> timer = new CompletableFuture<>();
    private final CountDownLatch over = new CountDownLatch(1);

    private Thread timer() throws Exception {
        return timer.get(5, TimeUnit.MINUTES);
    }

    private WeakReference<ClassLoader> startFromAnApplication() throws Exception {
        OfApplication loader = new OfApplication();
        Constructor<?> starter = loader.loadClass(STARTER).getConstructor(TimeSource.class, Runnable.class);
        Runnable task = () -> {
            timer.complete(Thread.currentThread());
            awaitOver();
        };
        Thread thread = new Thread((Runnable) starter.newInstance(time, task));
        thread.setContextClassLoader(loader);
        thread.start();
        thread.join();
        return new WeakReference<>(loader);
    }

    private void awaitOver() {
        try {
            over.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void isADaemonOfTheHighestPriority() throws Exception {
        time.schedule(0, () -> timer.complete(Thread.currentThread()));
        assertThat(timer().getName()).isEqualTo("holdfast-timer");
        assertThat(timer().isDaemon()).isTrue();
        assertThat(timer().getPriority()).isEqualTo(Thread.MAX_PRIORITY);
    }

    @Test
    void timerIsRefusedIfItsThreadCannotBeMade() {
        OutOfMemoryError noThread = new OutOfMemoryError("unable to create native thread");
        SystemTime full = new SystemTime(task -> {
            throw noThread;
        });
        assertThatThrownBy(() -> full.schedule(0, () -> {}))
                .isInstanceOf(RejectedExecutionException.class)
                .hasCause(noThread);
    }

    @Test
    void keepsNoApplicationThatStartedIt() throws Exception {
        WeakReference<ClassLoader> application = startFromAnApplication();
        assertThat(timer().getContextClassLoader()).isSameAs(TimeSource.class.getClassLoader());
        // The thread that started it may still be known to the virtual machine for a moment.
        for (long start = System.nanoTime();
                application.get() != null && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(5); ) {
            System.gc();
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(application.get()).isNull();
        assertThat(timer().isAlive()).isTrue();
        over.countDown();
    }
}
