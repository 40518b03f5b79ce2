// Made from the route declarations of this folder by scripts/make-api-types.ts. Do not edit.

export interface paths {
    "/api/accuracy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Foretold and measured: one’s own finished trainings, newest first, and what all of the installation say together */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    gpu?: string;
                    limit?: number;
                    method?: "lora" | "qlora" | "dora" | "full";
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description Every device that the groups have, whatever is asked for */
                            gpus: string[];
                            /** @description Everybody’s runs by device, stack and method, the newest kind first: at most 200 */
                            groups: components["schemas"]["AccuracyGroup"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            points: components["schemas"]["AccuracyPoint"][];
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/activity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to one’s own things, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    entity_type?: "job" | "transfer" | "experiment" | "dataset" | "model" | "device";
                    event_type?: "job_created" | "job_started" | "job_completed" | "job_failed" | "job_cancelled" | "transfer_started" | "transfer_completed" | "transfer_failed" | "dataset_imported" | "model_created" | "device_released";
                    limit?: number;
                    offset?: number;
                    project_id?: string;
                    unread_only?: "true" | "false";
                    /** @description Oneself: nobody sees what others did */
                    user_id?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            activities: components["schemas"]["Activity"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Tell of something that happened; what the system told already is answered, not doubled */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateActivity"];
                };
            };
            responses: {
                /** @description The activity */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Activity"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/activity/{id}/mark-read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark one as read */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The activity */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Activity"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/activity/mark-all-read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark everything as read, or everything of one project */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["MarkAllRead"];
                };
            };
            responses: {
                /** @description How many were not read before */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            marked_read: number;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own artifacts, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            artifacts: components["schemas"]["Artifact"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/artifacts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One artifact with its passport and the lines that load it */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The artifact */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Artifact"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Delete; its files are removed after 30 days */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/artifacts/{id}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The short-lived address of one file, or of all of them as one zip; sends there */
        get: {
            parameters: {
                query?: {
                    file?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description See the address in Location; the body has it, too, for clients that do not follow */
                303: {
                    headers: {
                        location: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            bytes: number | null;
                            /** Format: date-time */
                            expires_at: string;
                            /** @example adapter_model.safetensors */
                            file_name: string;
                            /** @example https://lowrank.example.org/api/downloads/TOKEN */
                            url: string;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/artifacts/{id}/push": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Bring its files to a repository of the Hub; a worker sends them next */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PushArtifact"];
                };
            };
            responses: {
                /** @description The transfer, which waits for a worker */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Transfer"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/artifacts/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a deletion back, within 30 days */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The artifact, in every list again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Artifact"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/change-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Choose another password: every other session of yours ends */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        current_password: string;
                        new_password: string;
                    };
                };
            };
            responses: {
                /** @description Changed; this browser has a new session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            user: components["schemas"]["Person"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sign-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in with e-mail and password */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Format: email
                         * @example ada@example.org
                         */
                        email: string;
                        password: string;
                    };
                };
            };
            responses: {
                /** @description Signed in: the session is a cookie */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            user: components["schemas"]["Person"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End this session */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The session is over */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {boolean} */
                            signed_out: true;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/base-models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The registry that all users share, with what is narrowed to your projects, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    family?: string;
                    limit?: number;
                    modality?: "text" | "image" | "audio" | "video" | "multimodal";
                    offset?: number;
                    /** @description What can be used in this project: what all share, and what is narrowed to it */
                    project?: string;
                    q?: string;
                    search?: string;
                    servable?: "true" | "false";
                    stage?: "staging" | "production" | "archived";
                    trainable?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /**
                             * Format: uuid
                             * @description What a submission that names no model is trained on; null: it must name one
                             */
                            default_model_id: string | null;
                            limit: number;
                            models: components["schemas"]["BaseModel"][];
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Register a model of the Hub, or (administrators) a folder of this machine; its facts are read from its files */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RegisterModel"];
                };
            };
            responses: {
                /** @description It was registered already */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BaseModel"];
                    };
                };
                /** @description Registered; a large or remote one is fetched next */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BaseModel"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
                507: components["responses"]["StorageFull"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/base-models/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One base model */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The model */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BaseModel"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Take a model out of the registry (its importer or an administrator); refused while a training needs it */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Change what is said about a model (its importer or an administrator); facts are read from its files alone */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["BaseModelChanges"];
                };
            };
            responses: {
                /** @description The model as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BaseModel"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/costs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What one’s trainings cost, newest month first: by month, or each job’s part in each month */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before, of the same `by`; counts before offset */
                    after?: string;
                    billing_period?: string;
                    by?: "month" | "job";
                    job_id?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description Of all pages together */
                            amount: number;
                            costs: components["schemas"]["Costs"][];
                            limit: number;
                            /** @description Sent as `after` it gets the next page; null: there is none */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own datasets, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    /** @description Only those that can train this base model, each with its judgement */
                    compatible_with_model?: string;
                    /** @description With compatible_with_model: the others too */
                    include_incompatible?: "true" | "false";
                    limit?: number;
                    modality?: "text" | "image" | "audio" | "video" | "multimodal";
                    offset?: number;
                    /** @description Only what belongs to this project */
                    project?: string;
                    q?: string;
                    search?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            datasets: components["schemas"]["ListedDataset"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One dataset with its report */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The dataset */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Dataset"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Delete; refused while a training needs it. Its file is removed after 30 days */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Change what is said about a dataset; another format, mapping or rule has it checked again */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DatasetChanges"];
                };
            };
            responses: {
                /** @description The dataset as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Dataset"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/datasets/{id}/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The images of a dataset, in their order */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page; of a dataset of text there are none */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            images: components["schemas"]["DatasetImage"][];
                            /** @description Sent as `after` it gets the next page; null: there is none yet */
                            next_after: number | null;
                            total: number;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/images/{n}/thumbnail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An image in small, at most 256 pixels a side */
        get: {
            parameters: {
                query?: never;
                header?: {
                    "if-none-match"?: string;
                };
                path: {
                    id: string;
                    n: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The thumbnail */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "image/webp": unknown;
                    };
                };
                /** @description It is still the one of If-None-Match */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a deletion back, within 30 days */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The dataset, in every list again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Dataset"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/datasets/upload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a JSON lines or JSON file, or a zip of images, at most 500 MB; it is checked afterwards
         * @description As the raw body with everything else as query parameters, or as multipart/form-data with one file and fields; images and their captions may come as several files.
         */
        post: {
            parameters: {
                query?: {
                    description?: string;
                    file_name?: string;
                    format?: "auto" | "chat" | "sharegpt" | "alpaca" | "prompt_completion" | "text";
                    invalid_rows?: "refuse" | "skip";
                    mapping?: string;
                    name?: string;
                };
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": string;
                    "application/jsonl": string;
                    "application/octet-stream": string;
                    "application/x-ndjson": string;
                    "application/zip": string;
                    "multipart/form-data": {
                        description?: string;
                        /** Format: binary */
                        file: string;
                        format?: string;
                        invalid_rows?: string;
                        mapping?: string;
                        name?: string;
                    };
                };
            };
            responses: {
                /** @description Stored; its check comes next */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DatasetUploaded"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
                507: components["responses"]["StorageFull"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/downloads/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file by its signed address: GET and HEAD, with Range */
        get: {
            parameters: {
                query?: never;
                header?: {
                    "if-none-match"?: string;
                    "if-range"?: string;
                    range?: string;
                };
                path: {
                    token: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The whole file */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": unknown;
                    };
                };
                /** @description A part of the file */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": unknown;
                    };
                };
                /** @description The storage has the file: see the address in Location, which is good for a minute */
                303: {
                    headers: {
                        location: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The file is still the one of If-None-Match */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                416: components["responses"]["RangeNotSatisfiable"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/experiments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own experiments, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                    /** @description Only what belongs to this project */
                    project?: string;
                    q?: string;
                    search?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            experiments: components["schemas"]["Experiment"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/experiments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One experiment with its jobs */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The experiment */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Experiment"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/experiments/preflight": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Judge a training before it is submitted; nothing is stored */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AskPreflight"];
                };
            };
            responses: {
                /** @description The judgement, good or bad */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Preflight"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/first-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says if this installation still waits for its owner */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Whether set-up is needed */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            needed: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Make the owner, once, with the set-up token that the terminal shows; signs in */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Format: email
                         * @example ada@example.org
                         */
                        email: string;
                        name?: string;
                        password: string;
                        setup_token: string;
                    };
                };
            };
            responses: {
                /** @description The owner, signed in */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            user: components["schemas"]["Person"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/gpu-catalog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every device that a training can be priced on: at most a few more than a hundred */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The catalogue */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            corrections: components["schemas"]["Corrections"];
                            gpus: components["schemas"]["Gpu"][];
                            total: number;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Add a device (administrators) */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AddGpu"];
                };
            };
            responses: {
                /** @description Added */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Gpu"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/gpu-catalog/{type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a device that was added, or what was said of one that comes along (administrators) */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    type: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Removed */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Say another price, throughput or other names (administrators); jobs keep the price that they were asked at */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    type: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangeGpu"];
                };
            };
            responses: {
                /** @description As it stands now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Gpu"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/gpus": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The devices of every worker (administrators), and what they do */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            gpus: components["schemas"]["Device"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Drain all that a worker has, or let work come to it again (administrators): what runs goes on */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DrainWorker"];
                };
            };
            responses: {
                /** @description So many devices */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            devices: number;
                            /** @description true: no run is given it any more; what runs on it goes on */
                            drained: boolean;
                            /** @example gpu-box-7c1f */
                            worker_id: string;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/gpus/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Drain a device, or let work come to it again, after a quarantine too (administrators) */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangeDevice"];
                };
            };
            responses: {
                /** @description As it stands now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Device"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The web process lives; asks nothing else */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Alive */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ok";
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Invitations that nobody has accepted (administrators), newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            invitations: components["schemas"]["OpenInvitation"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Invite somebody (administrators): the link is shown this once */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Format: email
                         * @example ada@example.org
                         */
                        email: string;
                    };
                };
            };
            responses: {
                /** @description The invitation */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            email: string;
                            /** Format: date-time */
                            expires_at: string;
                            /** Format: uuid */
                            id: string;
                            /** @description Open it once, within its time; null when the answer is a repeated one */
                            url: string | null;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/invitations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take an invitation back (administrators): its link opens nothing any more */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Taken back */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own jobs, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before page and offset, and new jobs move nothing */
                    after?: string;
                    limit?: number;
                    /** @description In place of page, and counts before it */
                    offset?: number;
                    page?: number;
                    /** @description Only what belongs to this project */
                    project?: string;
                    q?: string;
                    search?: string;
                    /** @description In the words of either door */
                    status?: "queued" | "initializing" | "running" | "completed" | "failed" | "cancelled" | "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
                    view?: "wizard";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page; with view=wizard plain */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                jobs: components["schemas"]["TrainingJob"][];
                                pagination: {
                                    limit: number;
                                    /**
                                     * Format: uuid
                                     * @description Sent as `after` it gets the next page; null: there is none
                                     */
                                    next_cursor: string | null;
                                    /** @description As it was asked; without meaning beside after and offset */
                                    page: number;
                                    total: number;
                                    /** @description true only above ten thousand: then it was counted within the last minute */
                                    total_is_estimate: boolean;
                                    totalPages: number;
                                };
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            jobs: components["schemas"]["WizardJob"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Queue a training: by a preset, or by a recipe (the setup wizard’s shape) */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateJob"] | components["schemas"]["CreateWizardJob"];
                };
            };
            responses: {
                /** @description Stored and queued, told by the door that it came by */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job */
        get: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Delete a job that is over: its log, curve and checkpoints go, its artifacts stay */
        delete: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a job left that is worth keeping, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                artifacts: components["schemas"]["Artifact"][];
                                limit: number;
                                /**
                                 * Format: uuid
                                 * @description Sent as `after` it gets the next page; null: there is none
                                 */
                                next_cursor: string | null;
                                offset: number;
                                total: number;
                                /** @description true only above ten thousand: then it was counted within the last minute */
                                total_is_estimate: boolean;
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            artifacts: components["schemas"]["Artifact"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel: final within 30 s where its host is reachable; the last checkpoint is kept unless it is to be discarded */
        post: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["CancelJob"];
                };
            };
            responses: {
                /** @description The job, cancelled or with its wish noted */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/checkpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The checkpoints that a training wrote, of all its attempts */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In the order in which they were made */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                checkpoints: components["schemas"]["Checkpoint"][];
                                /** @description Sent as `after` it gets the next page; null: there is none yet */
                                next_after: number | null;
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            checkpoints: components["schemas"]["Checkpoint"][];
                            /** @description Sent as `after` it gets the next page; null: there is none yet */
                            next_after: number | null;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/clone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new job of the same spec, whatever became of this one */
        post: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["CloneJob"];
                };
            };
            responses: {
                /** @description The new job */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to the job, numbered without gaps */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events in order */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                events: components["schemas"]["JobEvent"][];
                                /** @description Sent as `after` it gets the next page; null: there is none yet */
                                next_after: number | null;
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            events: components["schemas"]["JobEvent"][];
                            /** @description Sent as `after` it gets the next page; null: there is none yet */
                            next_after: number | null;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Log text of one attempt from a byte offset */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    attempt?: number;
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description At most 256 KB of whole lines */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                attempt: number;
                                /** @description The offset to ask from next time */
                                next: number;
                                /** @description Bytes that the log has now */
                                size: number;
                                text: string;
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            attempt: number;
                            /** @description The offset to ask from next time */
                            next: number;
                            /** @description Bytes that the log has now */
                            size: number;
                            text: string;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The curve of the surviving line of attempts, thinned to at most `points` of them without losing a peak of any figure */
        get: {
            parameters: {
                query?: {
                    from?: number;
                    points?: number;
                    to?: number;
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Points by step */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                points: components["schemas"]["MetricPoint"][];
                                /** @description Points that there are between the two steps */
                                total: number;
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            points: components["schemas"]["MetricPoint"][];
                            /** @description Points that there are between the two steps */
                            total: number;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a training at its next checkpoint, free its place, and keep it until it is resumed */
        post: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job, held or with its wish noted */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused job go on from its last checkpoint, as if it had never stopped */
        post: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job, in the queue again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The same again, as a new job */
        post: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The new job */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the model made of the training’s sample prompts: texts at each evaluation, pictures every so many steps */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In the order in which they were made */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @description Sent as `after` it gets the next page; null: there is none yet */
                                next_after: number | null;
                                samples: components["schemas"]["TrainingSample"][];
                            };
                            /** @enum {boolean} */
                            success: true;
                        } | {
                            /** @description Sent as `after` it gets the next page; null: there is none yet */
                            next_after: number | null;
                            samples: components["schemas"]["TrainingSample"][];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/samples/{n}/image": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A picture that a training drew: GET and HEAD, with Range */
        get: {
            parameters: {
                query?: never;
                header?: {
                    "if-none-match"?: string;
                    "if-range"?: string;
                    range?: string;
                };
                path: {
                    id: string;
                    n: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The whole picture */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "image/png": unknown;
                    };
                };
                /** @description A part of it */
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "image/png": unknown;
                    };
                };
                /** @description It is still the one of If-None-Match */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                416: components["responses"]["RangeNotSatisfiable"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a held job start as soon as there is a place for it */
        post: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job, held no more */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingJob"];
                            /** @enum {boolean} */
                            success: true;
                        } | components["schemas"]["WizardJob"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live: server-sent events `job`, `metrics`, `log`, `gone`; resumes with Last-Event-ID */
        get: {
            parameters: {
                query?: {
                    view?: "wizard";
                };
                header?: {
                    "last-event-id"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Each `id` is a cursor over points and log bytes: nothing is sent twice or left out across reconnects */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["JobStreamEvent"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/estimate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a training would take: steps, hours, dollars */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["EstimateTraining"];
                };
            };
            responses: {
                /** @description The estimate */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["TrainingEstimate"];
                            /** @enum {boolean} */
                            success: true;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own API keys, without their secrets */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page, newest first */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            keys: components["schemas"]["ApiKey"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /**
         * Make an API key: its secret is shown this once
         * @description Only its hash is kept. The same Idempotency-Key gets the same key again without its secret: if that was lost, revoke it and make another.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateApiKey"];
                };
            };
            responses: {
                /** @description The key */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewApiKey"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a key: it stops within 5 seconds */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The key, revoked */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ApiKey"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who I am, and by what */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The caller */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /**
         * Leave for good, with the password again or in words: sessions and keys end now, jobs are cancelled, and all rows and files go
         * @description Nothing of it comes back. What runs is ended first; rows and files go when the last of it is over. Base models that others trained on stay. The last administrator cannot leave. Who has no password, as people of a Supabase project, sends the words instead.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Leave"];
                };
            };
            responses: {
                /** @description Gone for everybody; the rest follows */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Choose for oneself: the base model of submissions that name none */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangeMe"];
                };
            };
            responses: {
                /** @description The caller, as they chose */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to what you have, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                    type?: "job_queued" | "job_started" | "job_completed" | "job_failed" | "job_cancelled" | "transfer_completed" | "transfer_failed" | "dataset_ready" | "dataset_error";
                    unread_only?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            notifications: components["schemas"]["Notification"][];
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                            /** @description Of every type */
                            unread: number;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/{id}/mark-read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark one as read; one that is read stays so */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The notification, read */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Notification"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/mark-all-read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark all as read */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Marked */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description How many were unread */
                            marked_read: number;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own projects, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                    q?: string;
                    search?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            projects: components["schemas"]["Project"][];
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Make a project: datasets, experiments and activities are listed by it */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateProject"];
                };
            };
            responses: {
                /** @description The new project */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Project"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One project */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The project */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Project"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Remove a project; what belongs to it stays; refused while base models are narrowed to it */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Removed */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Change its name or description */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ProjectChanges"];
                };
            };
            responses: {
                /** @description The project as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Project"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own jobs that wait, in the order in which they start, with why they wait and when they start */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            queue: components["schemas"]["QueuedJob"][];
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The database answers and has the migrations of this version: all of them and no newer ones */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ready */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ready";
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recipes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The built-in training styles, then one’s own templates, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                    /** @description Only what belongs to this project */
                    project?: string;
                    q?: string;
                    search?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            recipes: components["schemas"]["Recipe"][];
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Save a template */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateRecipe"];
                };
            };
            responses: {
                /** @description The template */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Recipe"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recipes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One recipe, by id or by the name of its method */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The recipe */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Recipe"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Remove a template of one’s own */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Removed */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Change a template of one’s own */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RecipeChanges"];
                };
            };
            responses: {
                /** @description The template as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Recipe"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What this installation decides for everybody (administrators) */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description As they stand */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Settings"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Decide otherwise (administrators), from now on: what runs goes on. A quota of null is the environment’s again */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangeSettings"];
                };
            };
            responses: {
                /** @description As they stand */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Settings"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/sign-in-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in with a one-time link: its page /sign-in/link#TOKEN sends the token here */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                    };
                };
            };
            responses: {
                /** @description Signed in */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description The page that the link was made for */
                            path: string;
                            user: components["schemas"]["Person"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sign-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Join by invitation, or freely where the installation allows it; signs in */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Format: email
                         * @example ada@example.org
                         */
                        email: string;
                        /** @description The token of the invitation link */
                        invitation?: string;
                        name?: string;
                        password: string;
                    };
                };
            };
            responses: {
                /** @description Joined and signed in */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            user: components["schemas"]["Person"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training-images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a training may name as training_image_id; to administrators every image of the list */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By name: at most a hundred */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            total: number;
                            training_images: components["schemas"]["TrainingImage"][];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** List an image that trainings may name, once a worker has checked that it speaks the trainer protocol (administrators) */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AddTrainingImage"];
                };
            };
            responses: {
                /** @description Listed; it is checked within seconds where a worker runs trainings in containers */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TrainingImage"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training-images/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take an image off the list (administrators): what names it and has not begun fails when it would */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Removed */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training-images/{id}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check an image anew, as what its reference names now (administrators) */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description To be checked */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TrainingImage"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job in this door’s words */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The training */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Training"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/training/submit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Submit a training by steps; a launch under way is awaited up to 10 s */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SubmitTraining"];
                };
            };
            responses: {
                /** @description Stored; running, or queued for the reason that `message` says */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SubmittedTraining"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                422: components["responses"]["NotTrainable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
                507: components["responses"]["StorageFull"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own transfers, newest first */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    kind?: "model" | "dataset" | "artifact";
                    limit?: number;
                    offset?: number;
                    status?: "pending" | "running" | "completed" | "failed" | "cancelled";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                            transfers: components["schemas"]["Transfer"][];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Import a model or a dataset of the Hub; a worker fetches it next */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateTransfer"];
                };
            };
            responses: {
                /** @description It is under way already */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Transfer"];
                    };
                };
                /** @description Waits for a worker */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Transfer"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
                507: components["responses"]["StorageFull"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/transfers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One transfer with its progress */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The transfer */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Transfer"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/transfers/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel; what came so far is removed. What others wait for is fetched on for them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The transfer, cancelled */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Transfer"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everybody in this studio (administrators), in the order in which they came */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                            users: components["schemas"]["Member"][];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Lock a person out, so that no session, key or token of theirs is taken, or give them a limit of their own (administrators) */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangeUser"];
                };
            };
            responses: {
                /** @description The person */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Member"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own webhooks, newest first, without their secrets */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                            webhooks: components["schemas"]["Webhook"][];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /** Make a webhook: its secret is told this once */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateWebhook"];
                };
            };
            responses: {
                /** @description The webhook and its secret */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["NewWebhook"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One webhook, without its secret */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The webhook */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Webhook"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        /** Delete with its log; what waits is not sent any more */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /** Change address, description or events, enable or disable: what waits meanwhile is sent afterwards */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["WebhookChanges"];
                };
            };
            responses: {
                /** @description The webhook as it is now */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Webhook"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/api/webhooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was sent to it, newest first; settled deliveries are kept for 30 days */
        get: {
            parameters: {
                query?: {
                    /** @description next_cursor of the page before; counts before offset */
                    after?: string;
                    limit?: number;
                    offset?: number;
                    status?: "pending" | "delivered" | "failed";
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One page */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            deliveries: components["schemas"]["WebhookDelivery"][];
                            limit: number;
                            /**
                             * Format: uuid
                             * @description Sent as `after` it gets the next page; null: there is none
                             */
                            next_cursor: string | null;
                            offset: number;
                            total: number;
                            /** @description true only above ten thousand: then it was counted within the last minute */
                            total_is_estimate: boolean;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/{id}/deliveries/{delivery_id}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send it again, now and with all its tries, under the same webhook-id */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    delivery_id: string;
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Queued again */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookDelivery"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new secret, told this once; the one before signs beside it for 24 hours */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The new secret */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** Format: uuid */
                            id: string;
                            /** Format: date-time */
                            previous_expires_at: string;
                            /** @description null when the answer is a repeated one */
                            secret: string | null;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send an event `webhook.test`: the delivery tells what came of it */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description With it the same request makes one thing and gets the same answer for 24 hours */
                    "Idempotency-Key"?: string;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Queued */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WebhookDelivery"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                405: components["responses"]["MethodNotAllowed"];
                408: components["responses"]["RequestTimeout"];
                409: components["responses"]["Conflict"];
                413: components["responses"]["PayloadTooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures for Prometheus (administrators): requests of this process, jobs, queue, devices, storage, webhooks, transfers */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The text format of Prometheus */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OpenAPI 3.1 */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                405: components["responses"]["MethodNotAllowed"];
                417: components["responses"]["ExpectationFailed"];
                421: components["responses"]["MisdirectedRequest"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadersTooLarge"];
                500: components["responses"]["InternalError"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description Errors are |measured ÷ foretold − 1|; covered: how many lay in the interval that nine of ten should lie in
         * @example {
         *       "runs": 14,
         *       "covered": 13,
         *       "median_error": 0.021,
         *       "p95_error": 0.08,
         *       "worst_error": 0.11
         *     }
         */
        AccuracyFigures: {
            covered: number;
            median_error: number | null;
            p95_error: number | null;
            runs: number;
            worst_error: number | null;
        };
        AccuracyGroup: {
            /**
             * @description Where it ran: the catalogue’s name, or the driver’s of a device that it does not have
             * @example L4
             */
            gpu: string;
            memory: components["schemas"]["AccuracyFigures"];
            /** @enum {string} */
            method: "lora" | "qlora" | "dora" | "full";
            /**
             * @description Libraries and trainer, as they decide bytes and seconds
             * @example torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0
             */
            stack_version: string;
            time: components["schemas"]["AccuracyFigures"];
        };
        AccuracyPoint: {
            cost: components["schemas"]["Compared"] & unknown;
            /** Format: date-time */
            created_at: string;
            /**
             * @description Where it ran: the catalogue’s name, or the driver’s of a device that it does not have
             * @example L4
             */
            gpu: string;
            hours: components["schemas"]["Compared"] & unknown;
            /**
             * Format: uuid
             * @description The job’s
             */
            id: string;
            /** @description null: deleted since */
            job: {
                /** Format: uuid */
                id: string;
                name: string;
            } | null;
            memory: components["schemas"]["Compared"];
            /** @description It ran out of memory: bytes that the device has, which were too few */
            memory_at_least: number | null;
            /** @enum {string} */
            method: "lora" | "qlora" | "dora" | "full";
            /** @enum {string} */
            outcome: "completed" | "failed" | "cancelled";
            seconds_per_step: components["schemas"]["Compared"];
            /**
             * @description Libraries and trainer, as they decide bytes and seconds
             * @example torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0
             */
            stack_version: string;
        };
        Activity: {
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            entity_id: string;
            /** @enum {string} */
            entity_type: "job" | "transfer" | "experiment" | "dataset" | "model" | "device";
            /** @enum {string} */
            event_type: "job_created" | "job_started" | "job_completed" | "job_failed" | "job_cancelled" | "transfer_started" | "transfer_completed" | "transfer_failed" | "dataset_imported" | "model_created" | "device_released";
            /** Format: uuid */
            id: string;
            message: string;
            /** @description `source` says who told it: system or client */
            metadata: {
                [key: string]: unknown;
            };
            /** Format: uuid */
            project_id: string | null;
            read: boolean;
            /** @description Of the thing, as it was then */
            status: string | null;
            title: string;
            /** Format: uuid */
            user_id: string;
        };
        /**
         * @example {
         *       "type": "RTX-6000-Ada",
         *       "aliases": [
         *         "6000"
         *       ],
         *       "hourly_rate": 0.9,
         *       "tokens_per_second": 1400,
         *       "memory_gb": 51,
         *       "like": "L40S"
         *     }
         */
        AddGpu: {
            /**
             * @description Other names of it
             * @default []
             */
            aliases?: string[];
            /** @description US dollars an hour for one of them */
            hourly_rate: number;
            /**
             * @description The known device that it computes like, for memory and time foretold; null: that of its own name
             * @default null
             */
            like?: string | null;
            /**
             * @description GB (1e9 bytes) that its driver tells; null: as much as that which it is like
             * @default null
             */
            memory_gb?: number | null;
            /** @description Of one of them, assumed while no model is known */
            tokens_per_second: number;
            type: string;
        };
        /**
         * @example {
         *       "name": "Ours",
         *       "reference": "registry.example.org/team/trainer:3"
         *     }
         */
        AddTrainingImage: {
            name: string;
            reference: string;
        };
        ApiKey: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            last_used_at: string | null;
            name: string;
            /** @description The first characters, to tell keys apart */
            prefix: string;
            /** Format: date-time */
            revoked_at: string | null;
            scopes: ("read" | "write")[];
        };
        Artifact: {
            base_model: {
                hf_repo_id: string | null;
                name: string;
                revision: string | null;
            };
            /** Format: date-time */
            created_at: string;
            files: components["schemas"]["ArtifactFile"][];
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            job_id: string;
            job_name: string;
            kind: string;
            /** @description Lines that load it in PEFT */
            loading: {
                /** @enum {string} */
                language: "python";
                text: string;
            };
            name: string;
            /**
             * Format: uuid
             * @description The artifact that its training went on from
             */
            parent_model_id: string | null;
            /** @description Dataset hash, base model revision, versions, seed, complete configuration */
            passport: {
                [key: string]: unknown;
            };
            quality_metrics: {
                [key: string]: unknown;
            };
            /** @description Of the weights file */
            sha256: string;
            /** @description Bytes of all files */
            size: number;
            /** @description A key, never a path of the host */
            storage_path: string;
            training_summary: {
                [key: string]: unknown;
            };
        };
        ArtifactFile: {
            bytes: number;
            /**
             * Format: uuid
             * @description What a download names the file by
             */
            id: string;
            path: string;
            sha256: string;
        };
        /**
         * @example {
         *       "base_model_id": "7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11",
         *       "dataset_id": "3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11",
         *       "recipe_id": "lora",
         *       "adapters": [],
         *       "train": {
         *         "max_steps": 500,
         *         "global_batch_size": 8,
         *         "grad_accum": 2,
         *         "learning_rate": 0.0001
         *       },
         *       "resources": {
         *         "gpus": 1,
         *         "strategy": "none",
         *         "mixed_precision": "bf16"
         *       }
         *     }
         */
        AskPreflight: {
            /**
             * @description Artifacts to start from: the first; several are refused
             * @default []
             */
            adapters?: {
                /** Format: uuid */
                adapter_id: string;
            }[];
            /** Format: uuid */
            base_model_id: string;
            /** Format: uuid */
            dataset_id: string;
            /**
             * @default {
             *       "suites": []
             *     }
             */
            eval?: {
                /** @description Steps between two evaluations */
                interval?: number;
                /** @default [] */
                suites?: ("held_out_loss" | "perplexity" | "mmlu" | "hellaswag" | "arc_easy" | "arc_challenge" | "winogrande" | "truthfulqa" | "gsm8k" | "humaneval" | "mt_bench")[];
            };
            export?: ("safetensors" | "merged" | "gguf" | "onnx")[];
            image?: components["schemas"]["ImageWishes"];
            /** @example lora */
            recipe_id: string;
            resources: {
                /** @description Of the catalogue; null: what the machine has */
                gpu_type?: string | null;
                gpus: number;
                /** @enum {string} */
                mixed_precision?: "bf16" | "fp16" | "fp32";
                /** @description A part of an executor; null: any */
                partition_id?: string | null;
                /** @enum {string} */
                strategy?: "none" | "ddp" | "fsdp";
            };
            train: {
                checkpoint_interval?: number;
                /** @description Rows a step: of one forward pass × grad_accum × gpus */
                global_batch_size: number;
                grad_accum?: number;
                /** @description Peak learning rate of the schedule */
                learning_rate?: number;
                /** @description Tokens at which rows are cut; left out: at most 2048 */
                max_seq_length?: number;
                max_steps: number;
                seed?: number;
                warmup_steps?: number;
            };
            /**
             * @description Of images: words that stand for what is learnt; the first is DreamBooth’s instance token
             * @default []
             */
            trigger_words?: string[];
        };
        BaseModel: {
            architecture: string | null;
            /** @description SHA-256 of the weights, hex; of the lines "<sha256>  <name>" when there are several */
            checksum: string | null;
            context_length: number | null;
            /** Format: date-time */
            created_at: string;
            created_by_me: boolean;
            description: string;
            dtype: string | null;
            family: string;
            /** @description How far its download is, told to those who asked for it while it is being fetched */
            fetched: {
                bytes: number;
                bytes_total: number;
            } | null;
            has_chat_template: boolean;
            hf_repo_id: string | null;
            hf_requested_revision: string | null;
            /** @description The commit that it is pinned to */
            hf_revision: string | null;
            hidden_size: number | null;
            /** Format: uuid */
            id: string;
            /** @description Registered where it lies on the studio’s machine; not copied */
            in_place: boolean;
            is_gguf: boolean;
            /** @description As its card (README.md) names it */
            license: string | null;
            metadata: {
                [key: string]: unknown;
            };
            modality: string;
            model_card: string | null;
            name: string;
            num_layers: number | null;
            params: number | null;
            /** @description Parameters in billions, counted from the headers of its weights */
            params_b: number | null;
            /**
             * Format: uuid
             * @description The project of its importer’s that it is narrowed to; null: all users share it
             */
            project_id: string | null;
            quantized: boolean;
            servable: boolean;
            shape: components["schemas"]["ModelShape"];
            size_bytes: number | null;
            /** @enum {string} */
            stage: "staging" | "production" | "archived";
            /** @enum {string} */
            status: "fetching" | "ready" | "error";
            /** @description Why it is in error, or why it cannot be trained */
            status_reason: {
                code: string;
                message: string;
            } | null;
            /** @description A key, never a path of the host; null for a model registered in place */
            storage_path: string | null;
            tags: string[];
            tokenizer_path: string | null;
            trainable: boolean;
            /** Format: date-time */
            updated_at: string;
            vocab_size: number | null;
        };
        /**
         * @example {
         *       "stage": "staging",
         *       "tags": [
         *         "small"
         *       ],
         *       "metadata": {
         *         "licence": "apache-2.0"
         *       }
         *     }
         */
        BaseModelChanges: {
            description?: string;
            /** @description Fields to set; null takes one away, the others stay */
            metadata?: {
                [key: string]: unknown;
            };
            /** @description Text of a model card, Markdown; null takes it away */
            model_card?: string | null;
            name?: string;
            /**
             * Format: uuid
             * @description One of its importer’s projects: nobody else sees it then, refused while others use it; null: shared with all
             */
            project_id?: string | null;
            /** @enum {string} */
            stage?: "staging" | "production" | "archived";
            tags?: string[];
        };
        /**
         * @example {
         *       "discard": false
         *     }
         */
        CancelJob: {
            /** @description true: its last checkpoint is removed, too */
            discard?: boolean;
        };
        /**
         * @example {
         *       "drained": true
         *     }
         */
        ChangeDevice: {
            /** @description true: no run is given it any more; what runs on it goes on */
            drained?: boolean;
            /**
             * @description It is trusted again, once its host lists it and no run has it; a worker that starts and sees it does the same
             * @enum {boolean}
             */
            quarantined?: false;
        };
        /**
         * @example {
         *       "hourly_rate": 0.15
         *     }
         */
        ChangeGpu: {
            /** @description Other names of it */
            aliases?: string[];
            /** @description US dollars an hour for one of them */
            hourly_rate?: number;
            /** @description The known device that it computes like, for memory and time foretold; null: that of its own name */
            like?: string | null;
            /** @description GB (1e9 bytes) that its driver tells; null: as much as that which it is like */
            memory_gb?: number | null;
            /** @description Of one of them, assumed while no model is known */
            tokens_per_second?: number;
        };
        /**
         * @example {
         *       "default_base_model_id": "7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11"
         *     }
         */
        ChangeMe: {
            /**
             * Format: uuid
             * @description What is trained where a submission names no base model; null: what the installation says
             */
            default_base_model_id: string | null;
        };
        /**
         * @example {
         *       "active_jobs_per_user": 3
         *     }
         */
        ChangeSettings: {
            active_jobs_per_user?: number;
            /** Format: uuid */
            default_base_model_id?: string | null;
            default_limits?: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            draining?: boolean;
            limits_max?: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            quiet_hours?: {
                /** @description A time of day, on the clocks of the time zone */
                begin: string;
                /** @description A time of day, on the clocks of the time zone */
                end: string;
                /** @description By its IANA name */
                time_zone: string;
                /** @description Days on which they begin: 1 is Monday, 7 is Sunday */
                weekdays: number[];
            } | null;
            user_quota_gb?: number | null;
        };
        /**
         * @example {
         *       "active_jobs_max": 4
         *     }
         */
        ChangeUser: {
            active_jobs_max?: number | null;
            disabled?: boolean;
        };
        Checkpoint: {
            attempt: number;
            bytes: number;
            /** Format: date-time */
            created_at: string;
            /** @description The number of its event: see /api/jobs/{id}/events */
            id: number;
            /** @description Its files are there still: the newest stay while it trains, and the last of it afterwards */
            kept: boolean;
            step: number;
        };
        /**
         * @example {
         *       "name": "The same once more",
         *       "start": false
         *     }
         */
        CloneJob: {
            /** @description The job’s own when absent */
            name?: string;
            /** @description The job’s own when absent */
            priority?: number;
            /** @description true when absent; false: stored and held until it is started */
            start?: boolean;
        };
        /** @description Bytes of the device at its fullest; null: not measured, or on another device */
        Compared: {
            /** @description Whether it lay in the interval */
            covered: boolean;
            figure: number;
            high: number;
            low: number;
            measured: number;
        } | null;
        /** @description With compatible_with_model */
        Compatibility: {
            compatible: boolean;
            errors: string[];
            warnings: string[];
        };
        /**
         * @description What finished runs say of the planner’s formulas, ln(measured ÷ formula): all of the installation’s by kind, and the caller’s own by their features. With it a browser foretells as the server does
         * @example {
         *       "groups": [],
         *       "own": []
         *     }
         */
        Corrections: {
            groups: {
                gpu: string;
                memory: {
                    mean: number;
                    runs: number;
                    variance: number;
                };
                /** @enum {string} */
                method: "lora" | "qlora" | "dora" | "full";
                stack_version: string;
                time: {
                    mean: number;
                    runs: number;
                    variance: number;
                };
            }[];
            own: {
                gpu: string;
                key: string;
                memory: number | null;
                memory_at_least: number | null;
                stack_version: string;
                time: number | null;
            }[];
        };
        Costs: {
            /** @description US dollars, to the cent */
            amount: number;
            /** @description The month, in UTC */
            billing_period: string;
            compute: {
                /** @description US dollars, to the cent */
                amount: number;
                hours: number;
            };
            /** @description null where months are told */
            job: {
                /** Format: uuid */
                id: string;
                name: string;
                /** @enum {string} */
                status: "queued" | "initializing" | "running" | "completed" | "failed" | "cancelled";
            } | null;
            /** @description How many trainings are in it */
            jobs: number;
            storage: {
                /** @description US dollars, to the cent */
                amount: number;
                gb: number;
            };
        };
        /**
         * @example {
         *       "event_type": "job_completed",
         *       "entity_type": "job",
         *       "entity_id": "7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11"
         *     }
         */
        CreateActivity: {
            /**
             * Format: uuid
             * @description Of a thing of your own
             */
            entity_id: string;
            /** @enum {string} */
            entity_type: "job" | "transfer" | "experiment" | "dataset" | "model";
            /** @enum {string} */
            event_type: "job_created" | "job_started" | "job_completed" | "job_failed" | "job_cancelled" | "transfer_started" | "transfer_completed" | "transfer_failed" | "dataset_imported" | "model_created" | "device_released";
            message?: string;
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: uuid */
            project_id?: string | null;
            status?: string | null;
            /** @description The event’s own when absent */
            title?: string;
            /**
             * Format: uuid
             * @description Oneself: an activity is its teller’s
             */
            user_id?: string;
        };
        /**
         * @example {
         *       "name": "Laptop",
         *       "scopes": [
         *         "read",
         *         "write"
         *       ],
         *       "expires_at": "2031-01-31T12:00:00Z"
         *     }
         */
        CreateApiKey: {
            /** Format: date-time */
            expires_at?: string;
            name: string;
            /**
             * @default [
             *       "read",
             *       "write"
             *     ]
             */
            scopes?: ("read" | "write")[];
        };
        /**
         * @example {
         *       "dataset_id": "3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11",
         *       "preset_id": "fast",
         *       "hyperparameters": {
         *         "epochs": 1
         *       },
         *       "name": "First try"
         *     }
         */
        CreateJob: {
            /** Format: uuid */
            base_model_id?: string;
            /** Format: uuid */
            dataset_id: string;
            estimated_cost?: number;
            /** @description type null: of what the machine has; left out: one of it */
            gpu_config?: {
                count: number;
                type: string | null;
            };
            /** @default {} */
            hyperparameters?: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha?: number;
                /** @description Rows a step */
                batch_size?: number;
                /** @description Dropout on the adapter input */
                dropout?: number;
                /** @description Passes over the training rows */
                epochs?: number;
                /** @description Peak learning rate of the schedule */
                learning_rate?: number;
                rank?: number;
            };
            /**
             * @description What it may take of its host; one that is not kept there is a `skipped` event of the job
             * @default {}
             */
            limits?: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            /** @description Tokens at which rows are cut; left out: at most 2048 */
            max_seq_length?: number;
            max_steps?: number;
            name?: string;
            /**
             * @description fast, balanced, quality or custom; aggressive and conservative are other names of fast and quality
             * @default balanced
             * @enum {string}
             */
            preset_id?: "fast" | "balanced" | "quality" | "custom" | "aggressive" | "conservative";
            /**
             * @description Within one’s own jobs: a higher one starts first
             * @default 0
             */
            priority?: number;
            /**
             * @description true: the first steps alone are trained, for `measured`; the job completes without an artifact
             * @default false
             */
            probe_only?: boolean;
            /**
             * @description false: stored and held until it is started
             * @default true
             */
            start?: boolean;
            /**
             * Format: uuid
             * @description A training image of GET /api/training-images; null: the trainer that comes along
             * @default null
             */
            training_image_id?: string | null;
        };
        /**
         * @example {
         *       "name": "Support answers"
         *     }
         */
        CreateProject: {
            /** @default  */
            description?: string;
            name: string;
        };
        /**
         * @example {
         *       "name": "Short answers",
         *       "method": "lora",
         *       "defaults": {
         *         "rank": 8,
         *         "warmup_steps": 20
         *       }
         *     }
         */
        CreateRecipe: {
            /** @default {} */
            defaults?: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha?: number;
                /** @description Steps between two checkpoints */
                checkpoint_interval?: number;
                /** @description Dropout on the adapter input */
                dropout?: number;
                /** @description Steps between two evaluations */
                eval_interval?: number;
                export?: ("safetensors" | "merged" | "gguf" | "onnx")[];
                /** @description Forward passes a step */
                grad_accum?: number;
                /** @description Peak learning rate of the schedule */
                learning_rate?: number;
                /** @enum {string} */
                mixed_precision?: "bf16" | "fp16" | "fp32";
                /** @description Rank of the adapter matrices */
                rank?: number;
                seed?: number;
                /** @enum {string} */
                strategy?: "none" | "ddp" | "fsdp";
                warmup_steps?: number;
            };
            /** @default  */
            description?: string;
            /** @default {} */
            metadata?: {
                [key: string]: unknown;
            };
            /**
             * @description The built-in style that it changes
             * @enum {string}
             */
            method: "lora" | "qlora" | "dora" | "dreambooth" | "full";
            name: string;
            /**
             * Format: uuid
             * @default null
             */
            project_id?: string | null;
            /** @default [] */
            tags?: string[];
        };
        /**
         * @example {
         *       "kind": "dataset",
         *       "hf_repo_id": "databricks/databricks-dolly-15k",
         *       "revision": "main",
         *       "split": "train"
         *     }
         */
        CreateTransfer: {
            /** @description owner/name */
            hf_repo_id: string;
            /** @enum {string} */
            kind: "model";
            name?: string;
            /**
             * @description Branch, tag or commit; pinned to a commit
             * @default main
             */
            revision?: string;
            /** @description A token of the Hub for this transfer alone: sealed while it is open, then forgotten; never answered */
            token?: string;
        } | {
            /** @description A configuration of the dataset’s card; its default one unless said */
            config?: string;
            description?: string;
            /** @description In place of both: a path in the repository, or a pattern such as data/*.jsonl */
            file?: string;
            /** @enum {string} */
            format?: "auto" | "chat" | "sharegpt" | "alpaca" | "prompt_completion" | "text";
            /** @description owner/name */
            hf_repo_id: string;
            /** @enum {string} */
            invalid_rows?: "refuse" | "skip";
            /** @enum {string} */
            kind: "dataset";
            /**
             * @example {
             *       "prompt": "question",
             *       "completion": "answer"
             *     }
             */
            mapping?: {
                completion?: string;
                conversations?: string;
                history?: string;
                input?: string;
                instruction?: string;
                messages?: string;
                output?: string;
                prompt?: string;
                system?: string;
                text?: string;
                tools?: string;
            };
            name?: string;
            /**
             * @description Branch, tag or commit; pinned to a commit
             * @default main
             */
            revision?: string;
            /** @description train unless said */
            split?: string;
            /** @description A token of the Hub for this transfer alone: sealed while it is open, then forgotten; never answered */
            token?: string;
        };
        /**
         * @example {
         *       "url": "https://hooks.example.org/lowrank",
         *       "description": "Tell the team",
         *       "events": [
         *         "job.completed",
         *         "job.failed"
         *       ]
         *     }
         */
        CreateWebhook: {
            /** @default  */
            description?: string;
            /** @default true */
            enabled?: boolean;
            /**
             * @description What it subscribes to; an empty list is everything, also what is new in later versions
             * @default []
             */
            events?: ("job.queued" | "job.started" | "job.completed" | "job.failed" | "job.cancelled" | "transfer.completed" | "transfer.failed" | "dataset.ready" | "dataset.error")[];
            /**
             * @description https, port 443 or 8443, of the public internet; an administrator can name further hosts
             * @example https://hooks.example.org/lowrank
             */
            url: string;
        };
        /**
         * @example {
         *       "name": "Rank 16",
         *       "base_model_id": "7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11",
         *       "dataset_id": "3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11",
         *       "recipe_id": "lora",
         *       "adapters": [],
         *       "train": {
         *         "max_steps": 500,
         *         "global_batch_size": 8,
         *         "grad_accum": 2,
         *         "learning_rate": 0.0001
         *       },
         *       "resources": {
         *         "gpus": 1
         *       },
         *       "export": [
         *         "safetensors"
         *       ],
         *       "metadata": {
         *         "origin": "wizard"
         *       }
         *     }
         */
        CreateWizardJob: {
            /**
             * @description Artifacts to start from: the first; several are refused
             * @default []
             */
            adapters?: {
                /** Format: uuid */
                adapter_id: string;
            }[];
            /** Format: uuid */
            base_model_id: string;
            /** Format: uuid */
            dataset_id: string;
            /**
             * @default {
             *       "suites": []
             *     }
             */
            eval?: {
                /** @description Steps between two evaluations */
                interval?: number;
                /** @default [] */
                suites?: ("held_out_loss" | "perplexity" | "mmlu" | "hellaswag" | "arc_easy" | "arc_challenge" | "winogrande" | "truthfulqa" | "gsm8k" | "humaneval" | "mt_bench")[];
            };
            export?: ("safetensors" | "merged" | "gguf" | "onnx")[];
            image?: components["schemas"]["ImageWishes"];
            /**
             * @description What it may take of its host; one that is not kept there is a `skipped` event of the job
             * @default {}
             */
            limits?: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            /** @default {} */
            metadata?: {
                [key: string]: unknown;
            };
            name: string;
            /**
             * @description Within one’s own jobs: a higher one starts first
             * @default 0
             */
            priority?: number;
            /**
             * @description true: the first steps alone are trained, for `measured`; the job completes without an artifact
             * @default false
             */
            probe_only?: boolean;
            /** @example lora */
            recipe_id: string;
            resources: {
                /** @description Of the catalogue; null: what the machine has */
                gpu_type?: string | null;
                gpus: number;
                /** @description A part of an executor; null: any */
                partition_id?: string | null;
            };
            /**
             * @description false: stored and held until it is started
             * @default true
             */
            start?: boolean;
            /** @default {} */
            strategy?: {
                /** @enum {string} */
                mixed_precision?: "bf16" | "fp16" | "fp32";
                /** @enum {string} */
                type?: "none" | "ddp" | "fsdp";
            };
            train: {
                checkpoint_interval?: number;
                /** @description Rows a step: of one forward pass × grad_accum × gpus */
                global_batch_size: number;
                grad_accum?: number;
                /** @description Peak learning rate of the schedule */
                learning_rate?: number;
                /** @description Tokens at which rows are cut; left out: at most 2048 */
                max_seq_length?: number;
                max_steps: number;
                seed?: number;
                warmup_steps?: number;
            };
            /**
             * Format: uuid
             * @description A training image of GET /api/training-images; null: the trainer that comes along
             * @default null
             */
            training_image_id?: string | null;
            /**
             * @description Of images: words that stand for what is learnt; the first is DreamBooth’s instance token
             * @default []
             */
            trigger_words?: string[];
        };
        Dataset: components["schemas"]["DatasetSummary"] & {
            /** @description Of images: what is worth knowing of single files, the first of each kind */
            findings: {
                code: string;
                file: string;
                message: string;
            }[];
            sample_data: ({
                line: number;
                messages: ({
                    content: string;
                    role: string;
                } & {
                    [key: string]: unknown;
                })[];
                segments: ({
                    text: string;
                    trained: boolean;
                } & {
                    [key: string]: unknown;
                })[] | null;
                text: string | null;
            } & {
                [key: string]: unknown;
            })[];
            /** @description What is wrong with the file (line null), then its first rejected rows, or files */
            validation_errors: {
                code: string;
                excerpt: string;
                file?: string;
                line: number | null;
                message: string;
            }[];
        };
        /**
         * @example {
         *       "name": "Questions, cleaned",
         *       "tags": [
         *         "support"
         *       ],
         *       "metadata": {
         *         "licence": "cc-by-4.0"
         *       }
         *     }
         */
        DatasetChanges: {
            description?: string;
            /** @enum {string} */
            format?: "auto" | "chat" | "sharegpt" | "alpaca" | "prompt_completion" | "text";
            /** @enum {string} */
            invalid_rows?: "refuse" | "skip";
            /**
             * @example {
             *       "prompt": "question",
             *       "completion": "answer"
             *     }
             */
            mapping?: {
                completion?: string;
                conversations?: string;
                history?: string;
                input?: string;
                instruction?: string;
                messages?: string;
                output?: string;
                prompt?: string;
                system?: string;
                text?: string;
                tools?: string;
            };
            /** @description Fields to set; null takes one away, the others stay */
            metadata?: {
                [key: string]: unknown;
            };
            name?: string;
            /**
             * Format: uuid
             * @description One of your projects; null: none
             */
            project_id?: string | null;
            tags?: string[];
        };
        DatasetImage: {
            bytes: number;
            caption: string | null;
            /** @description The name that it came with */
            file: string;
            height: number;
            /** @description Shows the class, for prior preservation, and not what is to be learned */
            is_class: boolean;
            /** @description Its number in the dataset, from 1 */
            n: number;
            /** @description How often an epoch takes it */
            repeats: number;
            sha256: string;
            /** @example /api/datasets/6f0b9d7e-8c1a-4d7a-9a53-0f7f0a1c2b3d/images/1/thumbnail */
            thumbnail_url: string;
            width: number;
        };
        DatasetSummary: {
            avg_tokens_per_turn: number | null;
            avg_turns_per_conversation: number | null;
            /** @description While images are checked: how many of them have been read */
            check_progress: {
                done: number;
                of: number;
            } | null;
            /** @description SHA-256 of the file, hex */
            checksum: string | null;
            /** Format: date-time */
            created_at: string;
            description: string;
            file_name: string;
            /** @description Bytes; while uploading, what is reserved */
            file_size: number;
            /** @description The shape of its rows; null until recognised */
            format: string | null;
            /** Format: uuid */
            id: string;
            integrity_checked: boolean;
            integrity_passed: boolean;
            /** @description Counts of the check: rows, rejected rows by code, warnings */
            integrity_report: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Rows that break a rule: refuse the dataset, or leave them out
             * @enum {string}
             */
            invalid_rows: "refuse" | "skip";
            manifest_path: string | null;
            /** @description Which column holds which field */
            mapping: {
                [key: string]: string;
            };
            metadata: {
                [key: string]: unknown;
            };
            modality: string;
            name: string;
            /** @description Rows, or images */
            num_samples: number | null;
            /** Format: uuid */
            project_id: string | null;
            size_bytes: number;
            /** @description Splits, columns, tokens with their histogram, duplicates; of images sizes, buckets, captions, folders */
            statistics: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "uploading" | "validating" | "ready" | "error";
            /** @enum {string} */
            storage_bucket: "lora-datasets";
            /** @description A key, never a path of the host */
            storage_path: string | null;
            tags: string[];
            /** @description With the default base model’s tokenizer; null without one */
            total_tokens: number | null;
            /** @description What an epoch takes: rows, or images with their repeats */
            total_training_pairs: number | null;
            total_validation_pairs: number | null;
            training_ready: boolean;
            /** Format: date-time */
            updated_at: string;
            /** Format: date-time */
            validated_at: string | null;
            /** @description Grows when the file is to be read another way */
            version: number;
        };
        DatasetUploaded: components["schemas"]["Dataset"] & {
            /** @description A dataset of yours with the same bytes */
            duplicate_of: {
                /** Format: uuid */
                id: string;
                name: string;
            } | null;
        };
        Device: {
            /** Format: date-time */
            drained_at: string | null;
            /** @description Processes that compute on it and are no run of this installation */
            foreign_processes: number;
            /** @description The machine’s name, where its worker told it */
            host: string | null;
            /** Format: uuid */
            id: string;
            /** @description The number that the host’s own tools give it, or its card */
            index: number | null;
            /**
             * @description cpu: the processor of a machine without a GPU
             * @enum {string}
             */
            kind: "gpu" | "cpu";
            /** Format: date-time */
            last_seen_at: string;
            memory_mb: number;
            /** @description At the last look; null where the driver does not say */
            memory_used_mb: number | null;
            /** @description Of a MIG instance, which is a device of its own: what of which card it is */
            mig: {
                card_uuid: string;
                /** @description For example 1g.10gb */
                profile: string;
            } | null;
            name: string;
            quarantine_reason: string | null;
            /** Format: date-time */
            quarantined_at: string | null;
            /** @description Why nothing new comes to it, where it is not a run */
            reason: string | null;
            /**
             * @description quarantined: lost, not seen any more, or with a run that does not die; leased: a run has it; occupied: somebody else computes on it; kept: for a training that waits for several; drained: nothing new comes to it
             * @enum {string}
             */
            state: "quarantined" | "leased" | "occupied" | "drained" | "kept" | "free";
            /** @description At the last look; null where the driver does not say */
            utilization_percent: number | null;
            /** @description As the driver knows it */
            uuid: string;
            worker_id: string;
            /** @description Seconds since its worker was last heard */
            worker_silent_s: number;
            /** @description It ended in order */
            worker_stopped: boolean;
        };
        /**
         * @example {
         *       "worker_id": "gpu-box-7c1f",
         *       "drained": true
         *     }
         */
        DrainWorker: {
            /** @description true: no run is given it any more; what runs on it goes on */
            drained: boolean;
            /** @description As the list of devices has it */
            worker_id: string;
        };
        Error: {
            code: string;
            details: components["schemas"]["Violation"][] | string;
            error: string;
            /**
             * Format: uuid
             * @description Of a job that is stored all the same, with `launch_failed`
             */
            job_id?: string;
            message: string;
            request_id: string;
            violations?: components["schemas"]["Violation"][];
        };
        /**
         * @example {
         *       "dataset_id": "3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11",
         *       "gpu_config": {
         *         "type": "A100-80GB",
         *         "count": 1
         *       },
         *       "hyperparameters": {
         *         "learning_rate": 0.00005,
         *         "batch_size": 4,
         *         "epochs": 3,
         *         "rank": 16
         *       }
         *     }
         */
        EstimateTraining: {
            /** Format: uuid */
            base_model_id?: string;
            /** Format: uuid */
            dataset_id: string;
            gpu_config: {
                count: number;
                type: string;
            };
            hyperparameters: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha?: number;
                /** @description Rows a step */
                batch_size: number;
                /** @description Dropout on the adapter input */
                dropout?: number;
                /** @description Passes over the training rows */
                epochs: number;
                /** @description Peak learning rate of the schedule */
                learning_rate: number;
                rank: number;
            };
            /** @description Tokens at which rows are cut; left out: at most 2048 */
            max_seq_length?: number;
            /** @description Ends the run before its epochs do */
            max_steps?: number;
        };
        Experiment: {
            /**
             * Format: uuid
             * @description Of its newest job
             */
            base_model_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            dataset_id: string | null;
            /** Format: uuid */
            id: string;
            /** @description Newest first: in a list the newest alone, otherwise at most 100 */
            jobs: components["schemas"]["ExperimentJob"][];
            jobs_by_status: {
                cancelled: number;
                completed: number;
                failed: number;
                initializing: number;
                queued: number;
                running: number;
            };
            name: string;
            /** Format: uuid */
            project_id: string | null;
            /** Format: uuid */
            recipe_id: string;
            /**
             * @description Of its newest job
             * @enum {string|null}
             */
            status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED" | null;
            /** Format: date-time */
            updated_at: string;
        };
        ExperimentJob: {
            /** Format: uuid */
            artifact_id: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            id: string;
            name: string;
            /** @description Percent, 0 to 100 */
            progress: number;
            /** @enum {string} */
            status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
        };
        /**
         * @description null: memory and speed were not estimated
         * @example {
         *       "formulas": 2,
         *       "gpu": "L4",
         *       "allocator_bytes": 7400000000,
         *       "device_bytes": {
         *         "figure": 8200000000,
         *         "low": 7900000000,
         *         "high": 8600000000,
         *         "formula": 8000000000,
         *         "runs": 14,
         *         "near": 2,
         *         "same": false
         *       },
         *       "seconds_per_step": {
         *         "figure": 0.52,
         *         "low": 0.47,
         *         "high": 0.58,
         *         "formula": 0.5,
         *         "runs": 14,
         *         "near": 2,
         *         "same": false
         *       },
         *       "hours": {
         *         "figure": 0.25,
         *         "low": 0.22,
         *         "high": 0.28
         *       },
         *       "cost": {
         *         "figure": 0.2,
         *         "low": 0.18,
         *         "high": 0.23
         *       }
         *     }
         */
        Forecast: {
            allocator_bytes: number;
            cost: {
                figure: number;
                high: number;
                low: number;
            } | null;
            device_bytes: {
                figure: number;
                formula: number;
                high: number;
                low: number;
                near: number;
                runs: number;
                same: boolean;
            };
            formulas: number;
            gpu: string;
            hours: {
                figure: number;
                high: number;
                low: number;
            } | null;
            seconds_per_step: {
                figure: number;
                formula: number;
                high: number;
                low: number;
                near: number;
                runs: number;
                same: boolean;
            } | null;
        } | null;
        /**
         * @example {
         *       "type": "A100-80GB",
         *       "aliases": [
         *         "a100"
         *       ],
         *       "hourly_rate": 3.5,
         *       "tokens_per_second": 1800,
         *       "memory_gb": 85,
         *       "like": "A100-80GB",
         *       "origin": "built_in"
         *     }
         */
        Gpu: {
            aliases: string[];
            /** @description US dollars an hour for one of them */
            hourly_rate: number;
            /** @description The known device that it computes like; null: memory and time are not foretold on it */
            like: string | null;
            /** @description GB (1e9 bytes) of one of them, as the planner counts; null: not known */
            memory_gb: number | null;
            /**
             * @description changed: one that comes along, with an administrator’s figures; removing it brings its own back
             * @enum {string}
             */
            origin: "built_in" | "changed" | "added";
            /** @description Of one of them, assumed while no model is known */
            tokens_per_second: number;
            type: string;
        };
        /**
         * @description Of a training on images alone; what is left out is planned
         * @example {
         *       "resolution": 768,
         *       "sample_prompts": [
         *         "a photo of sks dog in the snow"
         *       ],
         *       "sample_interval": 100
         *     }
         */
        ImageWishes: {
            /** @description Each image in the bucket of its own shape; false: all are cut to the square */
            bucketing?: boolean;
            cache_latents?: boolean;
            /** @description Not while the text encoders are trained */
            cache_text_embeddings?: boolean;
            /** @description Share of the passes that see an empty caption */
            caption_dropout?: number;
            /** @description What a bucket cuts off, equally on both sides; false: at a place drawn from the seed */
            center_crop?: boolean;
            /** @description Of prior preservation, at least so many */
            class_images?: number;
            /** @description The adapter is the moving average of the trained one */
            ema_decay?: number | null;
            /** @description Trained in place of the images’ captions */
            instance_prompt?: string;
            /** @description null: all timesteps weigh the same; without meaning for FLUX */
            min_snr_gamma?: number | null;
            /** @description Without meaning for FLUX */
            noise_offset?: number;
            /** @enum {string} */
            optimizer?: "adamw" | "adamw_8bit";
            prior_weight?: number;
            /** @description Half of the passes see the image mirrored */
            random_flip?: boolean;
            /** @description Pixels of a side; left out: what the base model was made for */
            resolution?: number;
            /** @description Steps between two rounds of samples; 0: at the end alone */
            sample_interval?: number;
            sample_prompts?: string[];
            sample_seed?: number;
            /** @description Denoising steps of one sample */
            sample_steps?: number;
            /** @description Peak learning rate of the schedule */
            text_encoder_learning_rate?: number;
            /** @description Adapters on the CLIP text encoders, too; not of FLUX */
            train_text_encoder?: boolean;
        };
        JobEvent: {
            attempt: number;
            /** Format: date-time */
            created_at: string;
            data: {
                [key: string]: unknown;
            };
            from_status: string | null;
            message: string | null;
            seq: number;
            to_status: string | null;
            type: string;
        };
        /**
         * @example {
         *       "event": "metrics",
         *       "id": "1.20.1.4096",
         *       "data": "{\"points\":[{\"step\":20,\"loss\":1.73}]}"
         *     }
         */
        JobStreamEvent: {
            /** @description JSON: of `job` the whole job, of `metrics` its new points, of `log` new text, of `gone` the reason */
            data: string;
            /** @enum {string} */
            event: "hello" | "job" | "metrics" | "log" | "gone";
            /** @description Send the last one as Last-Event-ID */
            id?: string;
            /** @description Milliseconds to wait before connecting again */
            retry?: number;
        };
        /**
         * @example {
         *       "password": "correct horse battery"
         *     }
         */
        Leave: {
            /**
             * @description Instead of it, of who has no password
             * @enum {string}
             */
            confirm?: "delete my account";
            /** @description One’s own, again */
            password?: string;
        };
        ListedDataset: components["schemas"]["DatasetSummary"] & {
            compatibility?: components["schemas"]["Compatibility"];
        };
        /** @example {} */
        MarkAllRead: {
            /** Format: uuid */
            project_id?: string;
            /**
             * Format: uuid
             * @description Oneself
             */
            user_id?: string;
        };
        Me: {
            credential: {
                /** @enum {string} */
                kind: "session" | "api_key" | "access_token";
                scopes: ("read" | "write")[];
            };
            /**
             * Format: uuid
             * @description What is trained where a submission names no base model; null: what the installation says
             */
            default_base_model_id: string | null;
            user: components["schemas"]["Person"];
        };
        /**
         * @description null: its first steps are not done yet
         * @example {
         *       "attempt": 1,
         *       "step": 8,
         *       "warmup_steps": 3,
         *       "timed_steps": 5,
         *       "seconds_per_step": {
         *         "median": 0.52,
         *         "low": 0.5,
         *         "high": 0.55
         *       },
         *       "tokens_per_step": 1620.4,
         *       "padded_tokens_per_step": 1792,
         *       "trained_tokens_per_step": 812.2,
         *       "tokens_per_second": 3116.2,
         *       "mean_tokens_per_step": 1600,
         *       "expected_seconds_per_step": 0.51,
         *       "longest_pass_tokens": 4096,
         *       "peak_allocated_mb": 7120.5,
         *       "peak_reserved_mb": 7301.2,
         *       "device_memory_mb": 8104.8
         *     }
         */
        Measured: {
            attempt: number;
            device_memory_mb: number;
            expected_seconds_per_step: number;
            longest_pass_tokens: number;
            mean_tokens_per_step: number;
            padded_tokens_per_step: number;
            peak_allocated_mb: number | null;
            peak_reserved_mb: number | null;
            seconds_per_step: {
                high: number;
                low: number;
                median: number;
            };
            step: number;
            timed_steps: number;
            tokens_per_second: number;
            tokens_per_step: number;
            trained_tokens_per_step: number;
            warmup_steps: number;
        } | null;
        Member: components["schemas"]["Person"] & {
            /** @description How many of their jobs may be active at once; null: as many as the settings say */
            active_jobs_max: number | null;
            /**
             * Format: date-time
             * @description When an administrator locked them out
             */
            disabled_at: string | null;
        };
        MetricPoint: {
            attempt: number;
            epoch: number | null;
            eval_loss: number | null;
            /** @description What else its trainer said: eval_seconds, nonfinite */
            extra: {
                [key: string]: unknown;
            } | null;
            gpu_memory_mb: number | null;
            grad_norm: number | null;
            learning_rate: number | null;
            loss: number | null;
            peak_memory_mb: number | null;
            samples_per_second: number | null;
            seq: number;
            step: number;
            /** Format: date-time */
            timestamp: string;
            tokens_per_second: number | null;
        };
        /**
         * @description Its matrices, read from its config.json: what memory and time are foretold with; null where they are not known
         * @example {
         *       "family": "llama",
         *       "hidden": 2048,
         *       "vocab": 128256,
         *       "context": 131072,
         *       "tied": true,
         *       "head_bias": false,
         *       "position_params": 0,
         *       "other_params": 2048,
         *       "blocks": [
         *         {
         *           "count": 16,
         *           "linears": [
         *             {
         *               "name": "q_proj",
         *               "inputs": 2048,
         *               "outputs": 2048,
         *               "bias": false,
         *               "part": "attention",
         *               "count": 1,
         *               "is_module": true
         *             },
         *             {
         *               "name": "down_proj",
         *               "inputs": 8192,
         *               "outputs": 2048,
         *               "bias": false,
         *               "part": "mlp",
         *               "count": 1,
         *               "is_module": true
         *             }
         *           ],
         *           "other_params": 4096,
         *           "attention": {
         *             "heads": 32,
         *             "kv_heads": 8,
         *             "head_dim": 64,
         *             "window": null,
         *             "qk_norm": "none"
         *           },
         *           "mlp": {
         *             "gated": true,
         *             "activation": "silu",
         *             "intermediate": 8192,
         *             "experts": null
         *           },
         *           "norm": "rms",
         *           "norms": 2,
         *           "parallel": false
         *         }
         *       ]
         *     }
         */
        ModelShape: {
            blocks: {
                attention: {
                    head_dim: number;
                    heads: number;
                    kv_heads: number;
                    /** @enum {string} */
                    qk_norm: "none" | "head" | "all";
                    window: number | null;
                };
                count: number;
                linears: {
                    bias: boolean;
                    count: number;
                    inputs: number;
                    is_module: boolean;
                    name: string;
                    outputs: number;
                    /** @enum {string} */
                    part: "attention" | "mlp" | "expert" | "router";
                    reached_by?: string[];
                }[];
                mlp: {
                    activation: string;
                    experts: {
                        count: number;
                        intermediate: number;
                        per_token: number;
                        shared_intermediate: number;
                    } | null;
                    gated: boolean;
                    intermediate: number;
                };
                /** @enum {string} */
                norm: "rms" | "layer";
                norms: number;
                other_params: number;
                parallel: boolean;
            }[];
            context: number | null;
            family: string;
            head_bias: boolean;
            hidden: number;
            other_params: number;
            position_params: number;
            tied: boolean;
            vocab: number;
        } | null;
        NewApiKey: components["schemas"]["ApiKey"] & {
            /** @description Send it as Authorization: Bearer …; null when the answer is a repeated one */
            key: string | null;
        };
        NewWebhook: components["schemas"]["Webhook"] & {
            /**
             * @description Signs the deliveries: told this once; null when the answer is a repeated one
             * @example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw…
             */
            secret: string | null;
        };
        /**
         * @example {
         *       "id": "0f7e1c5a-3c1e-4b8e-8a6f-6f7d1f6f2b10",
         *       "type": "job_completed",
         *       "title": "Training completed",
         *       "message": "First try",
         *       "priority": "normal",
         *       "read": false,
         *       "action_url": "/jobs/3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11",
         *       "metadata": {
         *         "job_id": "3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11"
         *       },
         *       "created_at": "2026-01-31T12:00:00.000Z"
         *     }
         */
        Notification: {
            /** @description The page that shows it */
            action_url: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            id: string;
            message: string;
            /** @description The ids of what it is about */
            metadata: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            priority: "low" | "normal" | "high";
            read: boolean;
            title: string;
            /** @enum {string} */
            type: "job_queued" | "job_started" | "job_completed" | "job_failed" | "job_cancelled" | "transfer_completed" | "transfer_failed" | "dataset_ready" | "dataset_error";
        };
        OpenInvitation: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /**
             * Format: date-time
             * @description Past: its link opens nothing any more
             */
            expires_at: string;
            /** Format: uuid */
            id: string;
            /** @description The name of whoever invited */
            invited_by: string | null;
        };
        Person: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /** Format: uuid */
            id: string;
            name: string;
            /** @enum {string} */
            role: "administrator" | "user";
        };
        Preflight: {
            advice: string[];
            /** @description Each begins with ERROR: */
            errors: string[];
            /** @description null: not known; 0 where it is not ok */
            estimated_vram_mb: number | null;
            /** @description Finished runs that this stands on */
            evidence: {
                runs: number;
            };
            /** @description Between which it lies; null: not known */
            interval_mb: {
                high: number;
                low: number;
            } | null;
            ok: boolean;
            throughput: {
                samples_per_second: number | null;
                tokens_per_second: number | null;
            } | Record<string, never>;
            time_per_step_ms: number | null;
            /**
             * @description null: not known
             * @enum {string|null}
             */
            verdict: "fits" | "tight" | "will_not_fit" | null;
            vram_breakdown: {
                activations_gb: number | null;
                gradients_gb: number | null;
                model_params_gb: number | null;
                optimizer_gb: number | null;
                total_with_buffer_gb: number | null;
            } | Record<string, never>;
            warnings: string[];
        };
        Project: {
            /** Format: date-time */
            created_at: string;
            description: string;
            /** Format: uuid */
            id: string;
            name: string;
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @example {
         *       "name": "Answers"
         *     }
         */
        ProjectChanges: {
            description?: string;
            name?: string;
        };
        /**
         * @example {
         *       "hf_repo_id": "ada/support-lora",
         *       "token": "hf_yourOwnTokenWithWriteAccess"
         *     }
         */
        PushArtifact: {
            /** @description Made where it is not there; one that is there gets a commit */
            hf_repo_id: string;
            /** @description The title of the commit */
            message?: string;
            /**
             * @description Of a repository that is made. Nothing is pushed to a public one unless this is false
             * @default true
             */
            private?: boolean;
            /**
             * @description A branch; made where it is not there
             * @default main
             */
            revision?: string;
            /** @description A token of your own Hub account that may write there: sealed while the push is open, then forgotten; never answered */
            token: string;
        };
        /**
         * @example {
         *       "job_id": "7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11",
         *       "name": "Questions, second try",
         *       "priority": 0,
         *       "queued_at": "2026-03-01T10:00:00.000Z",
         *       "position": 1,
         *       "reason": "active_limit",
         *       "message": "As many of your jobs as may run at once are running: it starts when one of them ends.",
         *       "predicted_start_at": "2026-03-01T10:42:00.000Z",
         *       "unpredicted_because": null
         *     }
         */
        QueuedJob: {
            /** Format: uuid */
            job_id: string;
            /** @description The reason as a sentence */
            message: string;
            name: string;
            /** @description Its place among your own jobs, from 1; null for one that is held or waits for its model */
            position: number | null;
            /**
             * Format: date-time
             * @description At the earliest, by the runs that are known now, rounded up to whole minutes
             */
            predicted_start_at: string | null;
            priority: number;
            /** Format: date-time */
            queued_at: string;
            /** @enum {string} */
            reason: "held" | "fetching_model" | "backing_off" | "draining" | "quiet_hours" | "no_worker" | "host_away" | "no_such_device" | "not_enough_devices" | "no_device" | "foreign_processes" | "cannot_start" | "disk_full" | "active_limit" | "behind_own_jobs" | "no_free_device" | "gathering_devices" | "kept_for_others" | "others_first" | "next";
            /**
             * @description Why predicted_start_at is null. nothing_starts: no worker, device or disk takes work; unknown_end: a run before it has not told when it ends; too_far: more than a hundred of your jobs are before it
             * @enum {string|null}
             */
            unpredicted_because: "not_in_line" | "nothing_starts" | "unknown_end" | "too_far" | null;
        };
        Recipe: {
            /** @description Whether the trainer of this installation does it */
            available: boolean;
            built_in: boolean;
            /**
             * Format: date-time
             * @description null: built in
             */
            created_at: string | null;
            defaults: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha: number;
                /** @description Steps between two checkpoints */
                checkpoint_interval: number;
                /** @description Dropout on the adapter input */
                dropout: number;
                /** @description Steps between two evaluations */
                eval_interval: number;
                export: ("safetensors" | "merged" | "gguf" | "onnx")[];
                /** @description Forward passes a step */
                grad_accum: number;
                /** @description Peak learning rate of the schedule */
                learning_rate: number;
                /** @enum {string} */
                mixed_precision: "bf16" | "fp16" | "fp32";
                /** @description Rank of the adapter matrices */
                rank: number;
                seed: number;
                /** @enum {string} */
                strategy: "none" | "ddp" | "fsdp";
                warmup_steps: number;
            };
            description: string;
            /** Format: uuid */
            id: string;
            metadata: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            method: "lora" | "qlora" | "dora" | "dreambooth" | "full";
            name: string;
            /** Format: uuid */
            project_id: string | null;
            /** @description What it does not train, in words */
            refuses: string[];
            supports: {
                eval_suites: ("held_out_loss" | "perplexity" | "mmlu" | "hellaswag" | "arc_easy" | "arc_challenge" | "winogrande" | "truthfulqa" | "gsm8k" | "humaneval" | "mt_bench")[];
                exports: ("safetensors" | "merged" | "gguf" | "onnx")[];
                modalities: string[];
                quantized_bases: boolean;
                strategies: ("none" | "ddp" | "fsdp")[];
            };
            tags: string[];
            unavailable_reason: string | null;
            /** Format: date-time */
            updated_at: string | null;
        };
        /**
         * @example {
         *       "defaults": {
         *         "rank": null,
         *         "learning_rate": 0.0002
         *       }
         *     }
         */
        RecipeChanges: {
            /** @description Fields to set; null takes one back */
            defaults?: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha?: number | null;
                /** @description Steps between two checkpoints */
                checkpoint_interval?: number | null;
                /** @description Dropout on the adapter input */
                dropout?: number | null;
                /** @description Steps between two evaluations */
                eval_interval?: number | null;
                export?: ("safetensors" | "merged" | "gguf" | "onnx")[] | null;
                /** @description Forward passes a step */
                grad_accum?: number | null;
                /** @description Peak learning rate of the schedule */
                learning_rate?: number | null;
                /** @enum {string|null} */
                mixed_precision?: "bf16" | "fp16" | "fp32" | null;
                /** @description Rank of the adapter matrices */
                rank?: number | null;
                seed?: number | null;
                /** @enum {string|null} */
                strategy?: "none" | "ddp" | "fsdp" | null;
                warmup_steps?: number | null;
            };
            description?: string;
            /** @description Fields to set; null takes one away, the others stay */
            metadata?: {
                [key: string]: unknown;
            };
            name?: string;
            /** Format: uuid */
            project_id?: string | null;
            tags?: string[];
        };
        /**
         * @example {
         *       "hf_repo_id": "HuggingFaceTB/SmolLM-135M",
         *       "revision": "main"
         *     }
         */
        RegisterModel: {
            /** @description owner/name */
            hf_repo_id: string;
            name?: string;
            /**
             * Format: uuid
             * @description One of your projects: nobody else sees the model; null: shared; left out: as it is there already, else shared
             */
            project_id?: string | null;
            /**
             * @description Branch, tag or commit; pinned to a commit
             * @default main
             */
            revision?: string;
        } | {
            name?: string;
            /** @description Absolute path of a folder below an allowed one, on the studio’s machine */
            path: string;
            /**
             * Format: uuid
             * @description One of your projects: nobody else sees the model; null: shared; left out: as it is there already, else shared
             */
            project_id?: string | null;
        };
        /**
         * @description What its newest attempt was made of; null for a process
         * @example {
         *       "reference": "training-image",
         *       "digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
         *     }
         */
        RunImage: {
            /** @description The id of what that was */
            digest: string;
            /** @description As it was named */
            reference: string;
        } | null;
        /**
         * @example {
         *       "active_jobs_per_user": 2,
         *       "user_quota_gb": 50,
         *       "default_base_model_id": null,
         *       "draining": false,
         *       "quiet_hours": null,
         *       "default_limits": {
         *         "memory_gb": 24,
         *         "runtime_hours": 12
         *       },
         *       "limits_max": {
         *         "memory_gb": 48
         *       }
         *     }
         */
        Settings: {
            /** @description Jobs of one person that may be active at once, unless the person has a limit of their own */
            active_jobs_per_user: number;
            /**
             * Format: uuid
             * @description For submissions that name no base model
             */
            default_base_model_id: string | null;
            /** @description What a training is held to that does not say; {}: to no limit but the maximum */
            default_limits: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            /** @description No training is started, until this is false again; what runs goes on */
            draining: boolean;
            /** @description The most that a training may ask for, and what holds for one without a default; {}: no such maximum */
            limits_max: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            /** @description Hours of a day in which no training is started; what runs goes on */
            quiet_hours: {
                /** @description A time of day, on the clocks of the time zone */
                begin: string;
                /** @description A time of day, on the clocks of the time zone */
                end: string;
                /** @description By its IANA name */
                time_zone: string;
                /** @description Days on which they begin: 1 is Monday, 7 is Sunday */
                weekdays: number[];
            } | null;
            /** @description What one person’s datasets, adapters and fetched models may take */
            user_quota_gb: number;
        };
        /**
         * @example {
         *       "success": true,
         *       "job_id": "7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11",
         *       "status": "queued",
         *       "message": "Base model HuggingFaceTB/SmolLM-135M is being fetched; the training starts by itself when it is there."
         *     }
         */
        SubmittedTraining: {
            /** Format: uuid */
            job_id: string;
            message: string;
            /**
             * @description As it was when the answer was written
             * @enum {string}
             */
            status: "running" | "queued";
            /** @enum {boolean} */
            success: true;
        };
        /**
         * @example {
         *       "dataset_id": "3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11",
         *       "type": "lora",
         *       "base_model": "HuggingFaceTB/SmolLM-135M@main",
         *       "name": "Questions, first try",
         *       "config": {
         *         "learning_rate": 0.0001,
         *         "batch_size": 4,
         *         "steps": 500,
         *         "lora_rank": 16,
         *         "lora_alpha": 32
         *       },
         *       "trigger_words": []
         *     }
         */
        SubmitTraining: {
            /** @description Hub id owner/name, or owner/name@revision; registered and fetched where it is not there yet. A folder registered under that name goes before the Hub */
            base_model: string;
            config: {
                /**
                 * @description Rows a step
                 * @default 1
                 */
                batch_size?: number;
                /** @default 0.0001 */
                learning_rate?: number;
                /** @default 32 */
                lora_alpha?: number;
                /** @default 16 */
                lora_rank?: number;
                /**
                 * @description Pixels of an image’s side; without meaning for text
                 * @default 512
                 */
                resolution?: number;
                /**
                 * @description Optimizer steps; how many passes over the dataset that takes is counted
                 * @default 1000
                 */
                steps?: number;
            };
            /** Format: uuid */
            dataset_id: string;
            /**
             * @description What it may take of its host; one that is not kept there is a `skipped` event of the job
             * @default {}
             */
            limits?: {
                /** @description Processors that it computes on */
                cpus?: number;
                /** @description What lies in its folder on disk */
                disk_gb?: number;
                /** @description Memory of the host, of all its processes */
                memory_gb?: number;
                /** @description Of one attempt, from its start */
                runtime_hours?: number;
                /** @description Shared memory of its processes */
                shm_gb?: number;
            };
            /** @description Made up when absent */
            name?: string;
            /**
             * @description Within one’s own jobs: a higher one starts first
             * @default 0
             */
            priority?: number;
            /**
             * @description false: stored and held until it is started
             * @default true
             */
            start?: boolean;
            /**
             * Format: uuid
             * @description A training image of GET /api/training-images; null: the trainer that comes along
             * @default null
             */
            training_image_id?: string | null;
            /** @default [] */
            trigger_words?: string[];
            /** @enum {string} */
            type: "lora" | "dreambooth";
        };
        Training: {
            /** Format: uuid */
            artifact_id: string | null;
            /** @description As it was asked for; its registered name where it was chosen by id */
            base_model: string;
            /** Format: date-time */
            completed_at: string | null;
            config: {
                batch_size: number;
                learning_rate: number;
                lora_alpha: number;
                lora_rank: number;
                /** @description null where it was not asked for */
                resolution: number | null;
                steps: number;
            };
            /** Format: date-time */
            created_at: string;
            current_metrics: {
                [key: string]: number | null;
            };
            current_stage: string | null;
            current_step: number;
            /** Format: uuid */
            dataset_id: string;
            error: {
                code: string;
                hint: string | null;
                message: string;
            } | null;
            /** Format: uuid */
            id: string;
            name: string;
            /** @description Percent, 0 to 100 */
            progress: number;
            /** Format: date-time */
            queued_at: string;
            /** Format: date-time */
            started_at: string | null;
            /**
             * @description pending: its trainer is being started
             * @enum {string}
             */
            status: "queued" | "pending" | "running" | "completed" | "failed" | "cancelled";
            total_steps: number;
            trigger_words: string[];
            /** @enum {string} */
            type: "lora" | "qlora" | "dora" | "dreambooth" | "full";
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @example {
         *       "estimated_cost": 2.28,
         *       "cost_breakdown": {
         *         "compute": 2.27,
         *         "storage": 0.01
         *       },
         *       "estimated_duration_hours": 0.649074,
         *       "duration_breakdown": {
         *         "training_hours": 0.574074,
         *         "overhead_hours": 0.075
         *       },
         *       "hourly_rate": 3.5,
         *       "gpu_config": {
         *         "type": "A100-80GB",
         *         "count": 1
         *       },
         *       "training_details": {
         *         "total_steps": 5607,
         *         "steps_per_epoch": 1869,
         *         "estimated_throughput_tokens_per_sec": 1800,
         *         "estimated_tokens": 3720000,
         *         "tokens_counted": true,
         *         "dataset_name": "Questions"
         *       },
         *       "verdict": null,
         *       "interval_mb": null,
         *       "advice": [],
         *       "evidence": {
         *         "runs": 0
         *       },
         *       "constants": {
         *         "initialisation_s": 120,
         *         "validation_s_per_epoch": 30,
         *         "saving_s": 60,
         *         "storage_usd_per_gb": 0.1,
         *         "artifact_gb_per_rank": 0.005,
         *         "bytes_per_token": 4,
         *         "foreseen": {
         *           "process_s": 15,
         *           "disk_bytes_per_s": 1000000000,
         *           "quantized_bytes_per_s": 2000000000,
         *           "tokenized_per_s": 200000,
         *           "checkpoint_s": 1,
         *           "written_bytes_per_s": 500000000,
         *           "saving_s": 10
         *         }
         *       }
         *     }
         */
        TrainingEstimate: {
            advice: string[];
            /** @description What the figures stand on */
            constants: {
                artifact_gb_per_rank: number;
                bytes_per_token: number;
                /** @description Of a known model on a known device, in place of the first three */
                foreseen: {
                    checkpoint_s: number;
                    disk_bytes_per_s: number;
                    process_s: number;
                    quantized_bytes_per_s: number;
                    saving_s: number;
                    tokenized_per_s: number;
                    written_bytes_per_s: number;
                };
                initialisation_s: number;
                saving_s: number;
                storage_usd_per_gb: number;
                validation_s_per_epoch: number;
            };
            cost_breakdown: {
                /** @description US dollars, to the cent */
                compute: number;
                /** @description US dollars, to the cent */
                storage: number;
            };
            duration_breakdown: {
                overhead_hours: number;
                training_hours: number;
            };
            /** @description US dollars, to the cent */
            estimated_cost: number;
            estimated_duration_hours: number;
            /** @description Finished runs that this stands on */
            evidence: {
                runs: number;
            };
            /** @description In the catalogue’s own words */
            gpu_config: {
                count: number;
                type: string;
            };
            /** @description Of all devices together, in US dollars */
            hourly_rate: number;
            /** @description Between which it lies; null: not known */
            interval_mb: {
                high: number;
                low: number;
            } | null;
            training_details: {
                dataset_name: string;
                /** @description Of all devices together, by the planner where the base model is known, else as the catalogue assumes */
                estimated_throughput_tokens_per_sec: number;
                /** @description Tokens that the run sees */
                estimated_tokens: number;
                steps_per_epoch: number;
                /** @description false: guessed from the size of the file, for no tokenizer was there */
                tokens_counted: boolean;
                total_steps: number;
            };
            /**
             * @description null: not known
             * @enum {string|null}
             */
            verdict: "fits" | "tight" | "will_not_fit" | null;
        };
        /**
         * @example {
         *       "id": "5b1c7c0e-7d63-4c7a-8a53-2d7c9a3f1e90",
         *       "name": "Ours",
         *       "reference": "registry.example.org/team/trainer:3",
         *       "digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         *       "status": "ready",
         *       "status_reason": null,
         *       "hello": {
         *         "trainer": "team-trainer 3.1",
         *         "protocols": [
         *           1
         *         ],
         *         "trains": [
         *           {
         *             "model_kind": "causal-lm",
         *             "methods": [
         *               "lora"
         *             ],
         *             "strategies": [
         *               "none"
         *             ],
         *             "devices_max": 1
         *           }
         *         ]
         *       },
         *       "checked_at": "2026-03-01T12:00:00.000Z",
         *       "created_at": "2026-03-01T11:59:00.000Z",
         *       "updated_at": "2026-03-01T12:00:00.000Z"
         *     }
         */
        TrainingImage: {
            /** Format: date-time */
            checked_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** @description The id of what was checked: trainings run in that, whatever the reference names later */
            digest: string | null;
            /** @description What its trainer said of itself; null until it has */
            hello: {
                protocols: number[];
                trainer: string;
                trains: {
                    devices_max: number;
                    methods: string[];
                    model_kind: string;
                    strategies: string[];
                }[];
            } | null;
            /** Format: uuid */
            id: string;
            name: string;
            /** @description As the engine is asked for it */
            reference: string;
            /**
             * @description checking: a worker has yet to ask its trainer what it can do
             * @enum {string}
             */
            status: "checking" | "ready" | "error";
            /** @description Why it is no good, or what keeps its check */
            status_reason: {
                code: string;
                message: string;
            } | null;
            /** Format: date-time */
            updated_at: string;
        };
        TrainingJob: {
            /** Format: uuid */
            artifact_id: string | null;
            attempt: number;
            base_model: {
                /** Format: uuid */
                id: string;
                name: string;
                params_b: number | null;
            };
            /** Format: uuid */
            base_model_id: string;
            /** Format: date-time */
            cancel_requested_at: string | null;
            /** Format: date-time */
            completed_at: string | null;
            /** @description The spec and the plan, whole */
            config: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            contact_lost_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** @description US dollars so far, a little behind while it runs */
            current_cost: number;
            current_epoch: number;
            current_metrics: {
                [key: string]: number | null;
            };
            current_stage: string | null;
            current_step: number;
            dataset: {
                file_name: string;
                /** Format: uuid */
                id: string;
                name: string;
                total_training_pairs: number | null;
            };
            /** Format: uuid */
            dataset_id: string;
            /** Format: date-time */
            estimated_completion_at: string | null;
            /** @description US dollars, by the catalogue as it stood at the submission, and once its first steps are measured by them */
            estimated_total_cost: number | null;
            executor: string | null;
            failure: {
                code: string;
                hint: string | null;
                message: string;
                stack: string | null;
            } | null;
            /** @description US dollars; null until it is over */
            final_cost: number | null;
            forecast: components["schemas"]["Forecast"];
            gpu_config: {
                count: number;
                type: string;
            };
            /** Format: date-time */
            held_at: string | null;
            /** @description US dollars an hour for all its devices, as it stood at the submission */
            hourly_rate: number;
            hyperparameters: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha: number;
                /** @description Rows a pass of all devices */
                batch_size: number;
                /** @description Dropout on the adapter input */
                dropout: number;
                /** @description Passes over the training rows; null for a run that is counted in steps */
                epochs: number | null;
                /** @description Peak learning rate of the schedule */
                learning_rate: number;
                /** @description Rank of the adapter matrices */
                rank: number;
            };
            /** Format: uuid */
            id: string;
            measured: components["schemas"]["Measured"];
            name: string;
            /**
             * Format: date-time
             * @description Beside held_at: paused, to go on from its checkpoint
             */
            pause_requested_at: string | null;
            preset_id: string;
            priority: number;
            /** @description Percent, 0 to 100 */
            progress: number;
            /** Format: date-time */
            queued_at: string;
            /** Format: uuid */
            retried_from: string | null;
            retry_count: number;
            /** @description Of all its attempts, those that are listed as stored, or as never to be: see /api/jobs/{id}/samples */
            samples: number;
            /** Format: date-time */
            started_at: string | null;
            /** @enum {string} */
            status: "queued" | "initializing" | "running" | "completed" | "failed" | "cancelled";
            total_epochs: number;
            total_steps: number;
            training_image: components["schemas"]["RunImage"];
            type: string;
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @example {
         *       "id": 12,
         *       "attempt": 1,
         *       "step": 100,
         *       "created_at": "2026-03-01T12:00:00.000Z",
         *       "kind": "image",
         *       "prompt": "a photo of sks teapot in the jungle",
         *       "text": null,
         *       "seed": 42,
         *       "width": 512,
         *       "height": 512,
         *       "bytes": 412334,
         *       "image_url": "/api/jobs/6f0b9d7e-8c1a-4d7a-9a53-0f7f0a1c2b3d/samples/12/image",
         *       "not_kept": null
         *     }
         */
        TrainingSample: {
            attempt: number;
            bytes: number | null;
            /** Format: date-time */
            created_at: string;
            height: number | null;
            /** @description The number of its event: see /api/jobs/{id}/events */
            id: number;
            /**
             * @description Where the picture is; null of a text, and of a picture that is not stored yet, or never
             * @example /api/jobs/6f0b9d7e-8c1a-4d7a-9a53-0f7f0a1c2b3d/samples/12/image
             */
            image_url: string | null;
            /** @enum {string} */
            kind: "text" | "image";
            /** @description Why a picture is not kept; null: it is, or will be */
            not_kept: {
                /** @enum {string} */
                code: "too_large" | "too_many" | "missing" | "changed" | "no_picture" | "quota_exceeded";
                message: string;
            } | null;
            prompt: string;
            /** @description What the picture was drawn on, the same at every step; null of a text */
            seed: number | null;
            step: number;
            /** @description What a language model answered; null of a picture */
            text: string | null;
            width: number | null;
        };
        Transfer: {
            /**
             * Format: uuid
             * @description What is pushed
             */
            artifact_id: string | null;
            /** Format: uuid */
            base_model_id: string | null;
            bytes_done: number;
            bytes_per_second: number | null;
            /** @description null until the repository is listed */
            bytes_total: number | null;
            /** @description The commit that the revision named when the transfer began: it is pinned to it. Of a push the one that it made */
            commit: string | null;
            /** Format: date-time */
            completed_at: string | null;
            /** @description What of a dataset was asked for */
            config: string | null;
            /** Format: date-time */
            created_at: string;
            /**
             * Format: uuid
             * @description There once it has completed
             */
            dataset_id: string | null;
            /** @enum {string} */
            direction: "import" | "export";
            /** @description Why it failed, with the way out */
            error: {
                code: string;
                message: string;
            } | null;
            /** @description What is left, at that speed */
            eta_seconds: number | null;
            file: string | null;
            /** @description How many are fetched or pushed */
            files: number | null;
            hf_repo_id: string;
            /** Format: uuid */
            id: string;
            /** @enum {string} */
            kind: "model" | "dataset" | "artifact";
            /** @description What it is to be called here; null: as the repository */
            name: string | null;
            /** @description Branch, tag or commit, as it was asked for */
            revision: string;
            split: string | null;
            /** Format: date-time */
            started_at: string | null;
            /** @enum {string} */
            status: "pending" | "running" | "completed" | "failed" | "cancelled";
            /** Format: date-time */
            updated_at: string;
        };
        /**
         * @example {
         *       "path": "hyperparameters.rank",
         *       "message": "rank must be between 4 and 64",
         *       "code": "too_big"
         *     }
         */
        Violation: {
            code: string;
            message: string;
            path: string;
        };
        Webhook: {
            /** Format: date-time */
            created_at: string;
            description: string;
            /**
             * @description gone: its receiver answered 410
             * @enum {string|null}
             */
            disabled_reason: "gone" | null;
            enabled: boolean;
            events: string[];
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            updated_at: string;
            /**
             * @description https, port 443 or 8443, of the public internet; an administrator can name further hosts
             * @example https://hooks.example.org/lowrank
             */
            url: string;
        };
        /**
         * @example {
         *       "enabled": false
         *     }
         */
        WebhookChanges: {
            description?: string;
            enabled?: boolean;
            /** @description What it subscribes to; an empty list is everything, also what is new in later versions */
            events?: ("job.queued" | "job.started" | "job.completed" | "job.failed" | "job.cancelled" | "transfer.completed" | "transfer.failed" | "dataset.ready" | "dataset.error")[];
            /**
             * @description https, port 443 or 8443, of the public internet; an administrator can name further hosts
             * @example https://hooks.example.org/lowrank
             */
            url?: string;
        };
        WebhookDelivery: {
            /** @description Tries since it was first, or last, wished for: at most 10 */
            attempts: number;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            delivered_at: string | null;
            event: string;
            /**
             * Format: uuid
             * @description What the receiver gets as webhook-id, at every try the same
             */
            id: string;
            /** Format: date-time */
            last_attempt_at: string | null;
            last_error: string | null;
            last_status: number | null;
            /**
             * Format: date-time
             * @description Null when none is to come
             */
            next_attempt_at: string | null;
            /** @description The body that is sent */
            payload: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "pending" | "delivered" | "failed";
            /** @description The last 20, oldest first */
            tries: {
                /** Format: date-time */
                at: string;
                duration_ms: number;
                error: string | null;
                /** @description The receiver's; null when there was no answer */
                status: number | null;
            }[];
        };
        WizardJob: {
            adapters: {
                /** Format: uuid */
                adapter_id: string;
            }[];
            /** Format: uuid */
            artifact_id: string | null;
            attempt: number;
            base_model: {
                /** Format: uuid */
                id: string;
                name: string;
                params_b: number | null;
            };
            /** Format: uuid */
            base_model_id: string;
            /** Format: date-time */
            cancel_requested_at: string | null;
            /**
             * Format: uuid
             * @description The id in the queue
             */
            celery_task_id: string;
            /** Format: date-time */
            completed_at: string | null;
            /** @description The spec and the plan, whole */
            config: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            contact_lost_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** @description US dollars so far, a little behind while it runs */
            current_cost: number;
            current_epoch: number;
            current_metrics: {
                [key: string]: number | null;
            };
            current_stage: string | null;
            current_step: number;
            dataset: {
                file_name: string;
                /** Format: uuid */
                id: string;
                name: string;
                total_training_pairs: number | null;
            };
            /** Format: uuid */
            dataset_id: string;
            /** Format: date-time */
            estimated_completion_at: string | null;
            /** @description US dollars, by the catalogue as it stood at the submission, and once its first steps are measured by them */
            estimated_total_cost: number | null;
            eval: {
                interval: number;
                suites: ("held_out_loss" | "perplexity" | "mmlu" | "hellaswag" | "arc_easy" | "arc_challenge" | "winogrande" | "truthfulqa" | "gsm8k" | "humaneval" | "mt_bench")[];
            };
            executor: string | null;
            /** Format: uuid */
            experiment_id: string | null;
            export: ("safetensors" | "merged" | "gguf" | "onnx")[];
            failure: {
                code: string;
                hint: string | null;
                message: string;
                stack: string | null;
            } | null;
            /** @description US dollars; null until it is over */
            final_cost: number | null;
            forecast: components["schemas"]["Forecast"];
            gpu_config: {
                count: number;
                type: string;
            };
            /** Format: date-time */
            held_at: string | null;
            /** @description US dollars an hour for all its devices, as it stood at the submission */
            hourly_rate: number;
            hyperparameters: {
                /** @description Scale of the adapter: its update is multiplied by alpha / rank */
                alpha: number;
                /** @description Rows a pass of all devices */
                batch_size: number;
                /** @description Dropout on the adapter input */
                dropout: number;
                /** @description Passes over the training rows; null for a run that is counted in steps */
                epochs: number | null;
                /** @description Peak learning rate of the schedule */
                learning_rate: number;
                /** @description Rank of the adapter matrices */
                rank: number;
            };
            /** Format: uuid */
            id: string;
            measured: components["schemas"]["Measured"];
            metadata: {
                [key: string]: unknown;
            };
            name: string;
            /**
             * Format: date-time
             * @description Beside held_at: paused, to go on from its checkpoint
             */
            pause_requested_at: string | null;
            preset_id: string;
            priority: number;
            /** @description Percent, 0 to 100 */
            progress: number;
            /** Format: date-time */
            queued_at: string;
            /** Format: uuid */
            recipe_id: string | null;
            resources: {
                gpu_type: string;
                gpus: number;
                partition_id: string | null;
            };
            /** Format: uuid */
            retried_from: string | null;
            retry_count: number;
            /** @description Of all its attempts, those that are listed as stored, or as never to be: see /api/jobs/{id}/samples */
            samples: number;
            /** @description What was asked for and is not to be had here */
            skipped: {
                /** @enum {string} */
                kind: "eval" | "export" | "limit";
                message: string;
                name: string;
            }[];
            /** Format: date-time */
            started_at: string | null;
            /** @enum {string} */
            status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
            strategy: {
                /** @enum {string|null} */
                mixed_precision: "bf16" | "fp16" | "fp32" | null;
                /** @enum {string} */
                type: "none" | "ddp" | "fsdp";
            };
            total_epochs: number;
            total_steps: number;
            train: {
                checkpoint_interval: number;
                global_batch_size: number;
                grad_accum: number;
                learning_rate: number;
                max_steps: number;
                seed: number | null;
                warmup_steps: number;
            };
            training_image: components["schemas"]["RunImage"];
            type: string;
            /** Format: date-time */
            updated_at: string;
        };
    };
    responses: {
        /** @description Invalid JSON or a broken rule: one row a violation */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description It stands in a state in which this cannot be done */
        Conflict: {
            headers: {
                /** @description Seconds to wait */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Expect names something other than 100-continue */
        ExpectationFailed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Not for this caller: role, scope of the key, kind of credential or origin */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The headers are larger than 16 kB */
        HeadersTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A fault of ours; request_id finds it in the log */
        InternalError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description This path does not take the method */
        MethodNotAllowed: {
            headers: {
                /** @description The methods that it takes */
                Allow?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A Host name that this studio does not answer for */
        MisdirectedRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description No such thing among what the caller may see */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Well-formed, but not trainable */
        NotTrainable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description More than may be sent, or more than the quota leaves */
        PayloadTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The range lies outside of the file: Content-Range has its size */
        RangeNotSatisfiable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The body did not arrive in time */
        RequestTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The disk of this installation is full */
        StorageFull: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Too many requests */
        TooManyRequests: {
            headers: {
                /** @description Requests of this kind that a minute takes */
                "RateLimit-Limit"?: number;
                /** @description How many of them are left */
                "RateLimit-Remaining"?: number;
                /** @description Seconds until there are more */
                "RateLimit-Reset"?: number;
                /** @description Seconds to wait */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description No valid session or key, or a wrong password */
        Unauthorized: {
            headers: {
                /** @description Bearer, with the realm */
                "WWW-Authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The database, the storage, or whoever proves identities, does not answer */
        Unavailable: {
            headers: {
                /** @description Seconds to wait */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Not a media type or encoding that this endpoint takes */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
