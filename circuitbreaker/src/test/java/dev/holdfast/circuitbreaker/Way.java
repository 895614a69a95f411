/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.Call;
import dev.holdfast.Reply;
import dev.holdfast.time.VirtualTime;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/** The two ways to call, which must end the same. */
enum Way {
    CALL {
        @Override
        Started start(VirtualTime time, Call<Object> call, Work work) {
            AtomicReference<Thread> caller = new AtomicReference<>();
            CompletableFuture<Reply<Object>> reply = time.spawn(() -> {
                caller.set(Thread.currentThread());
                return call.reply(attempt -> work.blocking(time));
            });
            return new Started(reply, () -> {
                Thread thread = caller.get();
                if (thread != null) {
                    time.interrupt(thread);
                }
            });
        }

        @Override
        void here(VirtualTime time, Call<Object> call, Work work) throws Exception {
            Reply<Object> unused = call.reply(attempt -> work.blocking(time));
        }
    },
    CALL_ASYNC {
        @Override
        Started start(VirtualTime time, Call<Object> call, Work work) {
            CompletableFuture<Reply<Object>> reply = call.replyAsync(attempt -> work.async(time));
            return new Started(reply, () -> reply.cancel(true));
        }

        @Override
        void here(VirtualTime time, Call<Object> call, Work work) {
            CompletableFuture<Reply<Object>> unused = call.replyAsync(attempt -> work.async(time));
        }
    };

    record Started(CompletableFuture<Reply<Object>> reply, Runnable giveUp) {}

    /** On this thread, as far as it goes there. */
    abstract void here(VirtualTime time, Call<Object> call, Work work) throws Exception;

    abstract Started start(VirtualTime time, Call<Object> call, Work work);
}
