/* A libpurple client without a user interface, driven by lines on standard input:
 *   say TO TEXT | join ROOM NICK | chat ROOM TEXT | quit
 * and reporting on standard output:
 *   signed-on | in FROM TEXT | chat FROM TEXT | error TEXT | joined ROOM
 * usage: purple_client FOLDER PROTOCOL USER PASSWORD [KEY=VALUE …]   (KEY=VALUE: account settings; numbers as :N) */
#include <glib.h>
#include <purple.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PurpleAccount* account;
static GMainLoop* loop;

/* --- glib behind purple's event loop ------------------------------------------------------------------------------ */

typedef struct {
  PurpleInputFunction function;
  gpointer data;
} Watch;

static gboolean on_io(GIOChannel* source, GIOCondition condition, gpointer data) {
  Watch* watch = data;
  PurpleInputCondition seen = 0;
  if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) seen |= PURPLE_INPUT_READ;
  if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL)) seen |= PURPLE_INPUT_WRITE;
  watch->function(watch->data, g_io_channel_unix_get_fd(source), seen);
  return TRUE;
}

static guint add_input(gint fd, PurpleInputCondition condition, PurpleInputFunction function, gpointer data) {
  Watch* watch = g_new0(Watch, 1);
  GIOCondition wanted = 0;
  watch->function = function;
  watch->data = data;
  if (condition & PURPLE_INPUT_READ) wanted |= G_IO_IN | G_IO_HUP | G_IO_ERR;
  if (condition & PURPLE_INPUT_WRITE) wanted |= G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL;
  GIOChannel* channel = g_io_channel_unix_new(fd);
  guint id = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, wanted, on_io, watch, g_free);
  g_io_channel_unref(channel);
  return id;
}

static PurpleEventLoopUiOps event_loop = {
    .timeout_add = g_timeout_add,
    .timeout_remove = g_source_remove,
    .input_add = add_input,
    .input_remove = g_source_remove,
    .timeout_add_seconds = g_timeout_add_seconds,
};

/* --- what happens ------------------------------------------------------------------------------------------------- */

static void say(const char* what, const char* who, const char* text) {
  char* plain = text ? purple_markup_strip_html(text) : NULL;
  printf("%s %s %s\n", what, who ? who : "-", plain ? plain : "");
  fflush(stdout);
  g_free(plain);
}

static void on_signed_on(PurpleConnection* connection, gpointer data) {
  (void)connection, (void)data;
  puts("signed-on");
  fflush(stdout);
}

static void on_error(PurpleAccount* failed, const PurpleConnectionErrorInfo* old, const PurpleConnectionErrorInfo* now,
                     gpointer data) {
  (void)failed, (void)old, (void)data;
  if (now) say("error", "-", now->description);
}

static void on_message(PurpleAccount* receiver, char* sender, char* text, PurpleConversation* conversation,
                       PurpleMessageFlags flags, gpointer data) {
  (void)receiver, (void)conversation, (void)flags, (void)data;
  say("in", sender, text);
}

static void on_chat(PurpleAccount* receiver, char* sender, char* text, PurpleConversation* conversation,
                    PurpleMessageFlags flags, gpointer data) {
  (void)receiver, (void)conversation, (void)flags, (void)data;
  say("chat", sender, text);
}

static void on_joined(PurpleConversation* conversation, gpointer data) {
  (void)data;
  say("joined", purple_conversation_get_name(conversation), NULL);
}

static void write_conversation(PurpleConversation* conversation, const char* name, const char* alias, const char* text,
                               PurpleMessageFlags flags, time_t when) {
  (void)alias, (void)when, (void)conversation;
  if (flags & PURPLE_MESSAGE_ERROR) say("error", name, text);
}

static void* notify_message(PurpleNotifyMsgType type, const char* title, const char* primary, const char* secondary) {
  (void)type, (void)title;
  say("error", primary ? primary : "-", secondary);
  return NULL;
}

static void* notify_formatted(const char* title, const char* primary, const char* secondary, const char* text) {
  (void)title, (void)secondary;
  say("error", primary ? primary : "-", text);
  return NULL;
}

static PurpleNotifyUiOps notifications = {.notify_message = notify_message, .notify_formatted = notify_formatted};

static PurpleConversationUiOps conversations = {.write_conv = write_conversation};

static void connect_signals(void) {
  static int handle;
  purple_signal_connect(purple_connections_get_handle(), "signed-on", &handle, PURPLE_CALLBACK(on_signed_on), NULL);
  purple_signal_connect(purple_accounts_get_handle(), "account-error-changed", &handle, PURPLE_CALLBACK(on_error),
                        NULL);
  purple_signal_connect(purple_conversations_get_handle(), "received-im-msg", &handle, PURPLE_CALLBACK(on_message),
                        NULL);
  purple_signal_connect(purple_conversations_get_handle(), "received-chat-msg", &handle, PURPLE_CALLBACK(on_chat),
                        NULL);
  purple_signal_connect(purple_conversations_get_handle(), "chat-joined", &handle, PURPLE_CALLBACK(on_joined), NULL);
}

/* --- what is asked ------------------------------------------------------------------------------------------------ */

static void join(const char* room) {
  PurpleConnection* connection = purple_account_get_connection(account);
  PurplePluginProtocolInfo* protocol = PURPLE_PLUGIN_PROTOCOL_INFO(purple_connection_get_prpl(connection));
  serv_join_chat(connection, protocol->chat_info_defaults(connection, room));
}

static void obey(char* line) {
  char** words = g_strsplit(g_strchomp(line), " ", 3);
  guint count = g_strv_length(words);
  if (count == 3 && !strcmp(words[0], "say")) {
    PurpleConversation* conversation = purple_conversation_new(PURPLE_CONV_TYPE_IM, account, words[1]);
    purple_conv_im_send(PURPLE_CONV_IM(conversation), words[2]);
  } else if (count >= 2 && !strcmp(words[0], "join")) {
    join(words[1]);
  } else if (count == 3 && !strcmp(words[0], "chat")) {
    PurpleConversation* conversation = purple_find_conversation_with_account(PURPLE_CONV_TYPE_CHAT, words[1], account);
    if (conversation)
      purple_conv_chat_send(PURPLE_CONV_CHAT(conversation), words[2]);
    else
      say("error", words[1], "not in that room");
  } else if (!strcmp(words[0], "quit")) {
    purple_account_set_enabled(account, "chancery-test", FALSE);
    g_main_loop_quit(loop);
  }
  g_strfreev(words);
}

static gboolean on_stdin(GIOChannel* source, GIOCondition condition, gpointer data) {
  char* line = NULL;
  (void)condition, (void)data;
  if (g_io_channel_read_line(source, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
    g_main_loop_quit(loop);
    return FALSE;
  }
  obey(line);
  g_free(line);
  return TRUE;
}

static void apply_setting(const char* setting) {
  char** pair = g_strsplit(setting, "=", 2);
  if (pair[0] && pair[1]) {
    if (pair[1][0] == ':')
      purple_account_set_int(account, pair[0], atoi(pair[1] + 1));
    else if (!strcmp(pair[1], "true") || !strcmp(pair[1], "false"))
      purple_account_set_bool(account, pair[0], pair[1][0] == 't');
    else
      purple_account_set_string(account, pair[0], pair[1]);
  }
  g_strfreev(pair);
}

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: purple_client FOLDER PROTOCOL USER PASSWORD [KEY=VALUE ...]\n");
    return 2;
  }
  purple_util_set_user_dir(argv[1]);
  purple_debug_set_enabled(g_getenv("PURPLE_DEBUG") != NULL);
  purple_eventloop_set_ui_ops(&event_loop);
  purple_conversations_set_ui_ops(&conversations);
  purple_notify_set_ui_ops(&notifications);
  if (!purple_core_init("chancery-test")) return 1;
  purple_set_blist(purple_blist_new());
  purple_prefs_load();
  purple_prefs_set_bool("/purple/logging/log_ims", FALSE);
  connect_signals();
  account = purple_account_new(argv[3], argv[2]);
  purple_account_set_password(account, argv[4]);
  for (int i = 5; i < argc; ++i) apply_setting(argv[i]);
  loop = g_main_loop_new(NULL, FALSE);
  GIOChannel* input = g_io_channel_unix_new(0);
  g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_stdin, NULL);
  purple_account_set_enabled(account, "chancery-test", TRUE);
  purple_savedstatus_activate(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE));
  g_main_loop_run(loop);
  purple_core_quit();
  return 0;
}
