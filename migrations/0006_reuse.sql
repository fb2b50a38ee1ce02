ALTER TABLE "sheaf"."tasks" ADD COLUMN "key_sha" text;--> statement-breakpoint
ALTER TABLE "sheaf"."tasks" ADD COLUMN "finished" json;--> statement-breakpoint
CREATE INDEX "tasks_of_key" ON "sheaf"."tasks" USING btree ("key_sha") WHERE key_sha is not null;