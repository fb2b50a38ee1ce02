CREATE TABLE "sheaf"."requests" (
	"id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"body" json NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"taken_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "sheaf"."jobs" ADD COLUMN "idempotency_key" text;--> statement-breakpoint
ALTER TABLE "sheaf"."jobs" ADD COLUMN "request_sha" text;--> statement-breakpoint
ALTER TABLE "sheaf"."requests" ADD CONSTRAINT "requests_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "sheaf"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "requests_open" ON "sheaf"."requests" USING btree ("run_id") WHERE taken_at is null;--> statement-breakpoint
ALTER TABLE "sheaf"."jobs" ADD CONSTRAINT "jobs_idempotency_key_unique" UNIQUE("idempotency_key");