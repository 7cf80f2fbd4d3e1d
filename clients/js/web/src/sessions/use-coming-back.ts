/** Calls when somebody comes back to the page or its network does, and once a minute while they look at it. */

import { useEffect } from "react";

const MINUTE = 60_000;

export function useComingBack(onBack: () => void): void {
  useEffect(() => {
    const look = () => {
      if (!document.hidden) onBack();
    };
    // A page that the browser kept for the way back.
    const onShow = (event: PageTransitionEvent) => {
      if (event.persisted) onBack();
    };
    document.addEventListener("visibilitychange", look);
    window.addEventListener("online", look);
    window.addEventListener("pageshow", onShow);
    const timer = setInterval(look, MINUTE);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("online", look);
      window.removeEventListener("pageshow", onShow);
      clearInterval(timer);
    };
  }, [onBack]);
}
