curl -sN --fail-with-body -H "Cookie: $COOKIE" "$BASE_URL/v1/agent-runs/$RUN_ID/stream?since=0" |
  sed -n -e 's/^data: //' -e '/^{/p'
